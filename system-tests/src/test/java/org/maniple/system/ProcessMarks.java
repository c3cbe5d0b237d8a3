package org.maniple.system;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/**
 * Finds all processes that descend from one that was started with a mark in its environment: also those whose parents are gone, which
 * the system hands to another parent. Linux only, like the signals of these tests.
 */
record ProcessMarks(String mark) {

    static final String VARIABLE = "SYSTEM_TEST_MARK";

    static ProcessMarks fresh() {
        return new ProcessMarks(UUID.randomUUID().toString());
    }

    /** The marked processes that run. */
    List<ProcessHandle> running() {
        try (Stream<Path> processes = Files.list(Path.of("/proc"))) {
            return processes.map(path -> path.getFileName().toString())
                    .filter(name -> name.chars().allMatch(Character::isDigit))
                    .filter(this::isMarked)
                    .flatMap(name -> ProcessHandle.of(Long.parseLong(name)).stream())
                    .filter(ProcessHandle::isAlive)
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Waits until none runs; those that still do when the limit is over. */
    List<ProcessHandle> awaitNone(Duration limit) {
        long deadline = System.nanoTime() + limit.toNanos();
        List<ProcessHandle> left = running();
        while (!left.isEmpty() && System.nanoTime() < deadline) {
            LockSupport.parkNanos(Duration.ofMillis(50).toNanos());
            left = running();
        }
        return left;
    }

    private boolean isMarked(String process) {
        try {
            return Files.readString(Path.of("/proc", process, "environ"), java.nio.charset.StandardCharsets.ISO_8859_1)
                    .contains(VARIABLE + "=" + mark);
        } catch (IOException e) {
            // It ended meanwhile, or belongs to another user.
            return false;
        }
    }
}
