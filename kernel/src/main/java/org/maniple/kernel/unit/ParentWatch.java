package org.maniple.kernel.unit;

import java.io.IOException;
import java.io.InputStream;

/**
 * Ends a rank process when the process that started it is gone, however that died. {@link ProcessGroup} keeps the other end of each child's
 * standard input open and never writes to it: its end is the end of the parent.
 */
public final class ParentWatch {

    private static final int SKIPPED_AT_ONCE = 256;

    private ParentWatch() {}

    /**
     * Begins to watch, on a thread of its own that does not keep the process alive. Only for processes that a {@link ProcessGroup} started:
     * the standard input of others, for example under SLURM, may be at its end from the beginning.
     *
     * @param standardInput this process's standard input, which nobody else reads
     * @param parentGone what to do, for example halt; called once
     */
    public static void start(InputStream standardInput, Runnable parentGone) {
        Thread.ofPlatform().name("parent-watch").daemon(true).start(() -> {
            awaitEnd(standardInput);
            parentGone.run();
        });
    }

    private static void awaitEnd(InputStream input) {
        byte[] skipped = new byte[SKIPPED_AT_ONCE];
        try {
            int read = 0;
            while (read >= 0) {
                read = input.read(skipped);
            }
        } catch (IOException e) {
            // A pipe that cannot be read has no writer any more either.
        }
    }
}
