package org.maniple.testkit;

import java.nio.charset.StandardCharsets;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assertions;
import org.maniple.api.transport.ControlLink;

/** Keeps what happens on a control link, for a test to ask for. */
public final class RecordedLink implements ControlLink.Listener {

    private final BlockingQueue<String> events = new LinkedBlockingQueue<>();

    /** A listener that has heard nothing yet. */
    public RecordedLink() {}

    @Override
    public void message(byte[] message) {
        events.add("message " + new String(message, StandardCharsets.UTF_8));
    }

    @Override
    public void closed(String reason) {
        events.add("closed " + reason);
    }

    /**
     * The next event that has not been asked for.
     *
     * @return {@code message} with its text, or {@code closed} with the reason
     */
    public String next() {
        try {
            String event = events.poll(VirtualRanks.PATIENCE.toSeconds(), TimeUnit.SECONDS);
            Assertions.assertNotNull(event, "nothing happens on the control link");
            return event;
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
