package org.maniple.kernel.unit;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** Keeps what a rank is told. */
final class RecordedEvents implements UnitEvents {

    final List<String> lines = new CopyOnWriteArrayList<>();
    final List<String> loading = new CopyOnWriteArrayList<>();
    final List<UnitFailure> failures = new CopyOnWriteArrayList<>();
    final List<String> stops = new CopyOnWriteArrayList<>();
    final List<String> parcels = new CopyOnWriteArrayList<>();
    volatile boolean broken;
    private final BlockingQueue<String> ends = new LinkedBlockingQueue<>();

    @Override
    public void waiting(String line) {
        lines.add(line);
    }

    @Override
    public void loading(long doneBytes, long totalBytes) {
        if (broken) {
            throw new IllegalStateException("terminal is gone");
        }
        loading.add(doneBytes + "/" + totalBytes);
    }

    @Override
    public void arrived(int fromRank, byte[] content) {
        parcels.add(fromRank + ": " + new String(content, StandardCharsets.UTF_8));
    }

    @Override
    public void failed(UnitFailure failure) {
        failures.add(failure);
        ends.add("failed: " + failure.message());
    }

    @Override
    public void stopped(String reason) {
        stops.add(reason);
        ends.add("stopped: " + reason);
    }

    /** Waits for the unit to end. */
    String end() throws InterruptedException {
        String end = ends.poll(30, TimeUnit.SECONDS);
        return end == null ? "nothing happened in 30 s" : end;
    }
}
