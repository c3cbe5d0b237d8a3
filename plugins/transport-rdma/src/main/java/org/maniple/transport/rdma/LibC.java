package org.maniple.transport.rdma;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;

/** The few functions of the C library that UCX needs around it. */
final class LibC {

    /** {@code struct pollfd}: int descriptor, short events, short what happened. */
    private static final long POLL_BYTES = 8;
    private static final short POLLIN = 1;
    private static final long NANOS = 1_000_000_000L;
    private static final Linker LINKER = Linker.nativeLinker();

    /** Sleeping until something happens on a descriptor. Apart, since few need all of them and linking takes time. */
    private static final class Polling {
        private static final MethodHandle PPOLL = LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow("ppoll"),
                FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, ADDRESS, ADDRESS));
    }

    private LibC() {}

    /** Sets a variable of this process' environment, which libraries read when they are loaded. */
    static void environment(String name, String value, boolean overwrite) {
        try (Arena arena = Arena.ofConfined()) {
            int ignored = (int) LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow("setenv"),
                    FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, JAVA_INT))
                    .invokeExact(arena.allocateFrom(name), arena.allocateFrom(value), overwrite ? 1 : 0);
        } catch (Throwable e) {
            throw failed("setenv", e);
        }
    }

    /** Sleeps until there is something to read on a descriptor. For use by one thread. */
    static final class Sleep {

        private final MemorySegment poll;
        private final MemorySegment time;

        /**
         * On one descriptor.
         *
         * @param arena lives as long as the descriptor is used
         */
        Sleep(Arena arena, int descriptor) {
            this.poll = arena.allocate(POLL_BYTES, Long.BYTES);
            this.time = arena.allocate(JAVA_LONG, 2);
            poll.set(JAVA_INT, 0, descriptor);
            poll.set(JAVA_SHORT, Integer.BYTES, POLLIN);
        }

        /** At most for some time. */
        void sleep(long nanos) {
            time.set(JAVA_LONG, 0, nanos / NANOS);
            time.set(JAVA_LONG, Long.BYTES, nanos % NANOS);
            try {
                int ignored = (int) Polling.PPOLL.invokeExact(poll, 1L, time, MemorySegment.NULL);
            } catch (Throwable e) {
                throw failed("ppoll", e);
            }
        }
    }

    /** What something prints to a {@code FILE}. */
    static String printed(Consumer<MemorySegment> printer) {
        var lookup = LINKER.defaultLookup();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment text = arena.allocate(ADDRESS);
            MemorySegment size = arena.allocate(JAVA_LONG);
            var file = (MemorySegment) LINKER.downcallHandle(lookup.findOrThrow("open_memstream"),
                    FunctionDescriptor.of(ADDRESS, ADDRESS, ADDRESS)).invokeExact(text, size);
            printer.accept(file);
            int ignored = (int) LINKER.downcallHandle(lookup.findOrThrow("fclose"), FunctionDescriptor.of(JAVA_INT, ADDRESS))
                    .invokeExact(file);
            MemorySegment memory = text.get(ADDRESS, 0);
            byte[] bytes = memory.reinterpret(size.get(JAVA_LONG, 0)).toArray(JAVA_BYTE);
            LINKER.downcallHandle(lookup.findOrThrow("free"), FunctionDescriptor.ofVoid(ADDRESS)).invokeExact(memory);
            return new String(bytes, StandardCharsets.UTF_8);
        } catch (Throwable e) {
            throw failed("open_memstream", e);
        }
    }

    private static IllegalStateException failed(String function, Throwable cause) {
        return new IllegalStateException("the C library's " + function + " cannot be called: " + cause, cause);
    }
}
