package org.maniple.kernel.unit;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/** Copies what a process prints, whole lines at a time and with a prefix, so that lines of several processes do not mix. */
final class LinePump {

    /** A longer line is cut into several. */
    static final int MAX_LINE = 1 << 16;

    private final InputStream from;
    private final PrintStream to;
    private final byte[] prefix;
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();
    private final Thread thread;

    LinePump(String prefix, InputStream from, PrintStream to) {
        this.prefix = prefix.getBytes(StandardCharsets.UTF_8);
        this.from = from;
        this.to = to;
        this.thread = Thread.ofPlatform().name("output " + prefix.strip()).daemon(true).start(this::run);
    }

    /** Waits until all is copied. A grandchild may hold the pipe open, so not for ever. */
    void await(long millis) throws InterruptedException {
        thread.join(Math.max(millis, 1));
    }

    private void run() {
        byte[] buffer = new byte[8192];
        try (from) {
            for (int count = from.read(buffer); count >= 0; count = from.read(buffer)) {
                for (int i = 0; i < count; i++) {
                    take(buffer[i]);
                }
            }
        } catch (IOException e) {
            // The process has been killed while it printed; what it printed before is kept.
        }
        if (line.size() > 0) {
            flush();
        }
    }

    private void take(byte next) {
        if (next != '\n') {
            line.write(next);
        }
        if (next == '\n' || line.size() >= MAX_LINE) {
            flush();
        }
    }

    private void flush() {
        ByteArrayOutputStream whole = new ByteArrayOutputStream(prefix.length + line.size() + 1);
        whole.writeBytes(prefix);
        whole.writeBytes(line.toByteArray());
        whole.write('\n');
        line.reset();
        byte[] bytes = whole.toByteArray();
        // One call, because a print stream keeps single calls whole.
        to.write(bytes, 0, bytes.length);
        to.flush();
    }
}
