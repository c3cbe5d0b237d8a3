package org.maniple.transport.shm;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.lang.ref.Reference;
import java.util.Optional;
import org.maniple.api.HostInfo;

/**
 * The system calls that Java has no methods for: memory without a name in any file system (memfd_create), and sleeping until a number in shared
 * memory changes (futex). Numbers as in Linux' {@code arch/x86/entry/syscalls/syscall_64.tbl} and {@code include/uapi/asm-generic/unistd.h}.
 */
final class Linux {

    /** Closes the descriptor in programs that this one starts. */
    private static final int MFD_CLOEXEC = 1;
    private static final int FUTEX_WAIT = 0;
    private static final int FUTEX_WAKE = 1;
    private static final long NANOS = 1_000_000_000L;

    private final long memfdNumber;
    private final long futexNumber;

    private Linux(long memfdNumber, long futexNumber) {
        this.memfdNumber = memfdNumber;
        this.futexNumber = futexNumber;
    }

    /** Functions of the C library, looked up where there is one. Constants with numbers only, so that calls allocate nothing. */
    private static final class Calls {
        static final StructLayout CAPTURED = Linker.Option.captureStateLayout();
        static final VarHandle ERRNO = CAPTURED.varHandle(MemoryLayout.PathElement.groupElement("errno"));

        private static final Linker LINKER = Linker.nativeLinker();
        private static final MemorySegment SYSCALL = LINKER.defaultLookup().findOrThrow("syscall");
        private static final Linker.Option VARIADIC = Linker.Option.firstVariadicArg(1);

        static final MethodHandle MEMFD = LINKER.downcallHandle(SYSCALL, FunctionDescriptor.of(ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG, ValueLayout.ADDRESS, ValueLayout.JAVA_INT), VARIADIC,
                Linker.Option.captureCallState("errno"));
        static final MethodHandle WAIT = LINKER.downcallHandle(SYSCALL, FunctionDescriptor.of(ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG),
                VARIADIC);
        static final MethodHandle WAKE = LINKER.downcallHandle(SYSCALL, FunctionDescriptor.of(ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT), VARIADIC);
        static final MethodHandle CLOSE = LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow("close"),
                FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));

        private Calls() {}
    }

    /** The system calls of a machine, if it is one whose numbers are known. */
    static Optional<Linux> on(HostInfo host) {
        if (!host.operatingSystem().equals("linux")) {
            return Optional.empty();
        }
        return switch (host.architecture()) {
            case "amd64" -> Optional.of(new Linux(319, 202));
            case "aarch64" -> Optional.of(new Linux(279, 98));
            default -> Optional.empty();
        };
    }

    /**
     * Makes memory that lives as long as somebody has it open or mapped.
     *
     * @param name shown by tools, for example in /proc/PID/maps
     * @return its descriptor
     */
    int anonymousFile(String name) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(Calls.CAPTURED);
            long descriptor = (long) Calls.MEMFD.invokeExact(state, memfdNumber, arena.allocateFrom(name), MFD_CLOEXEC);
            if (descriptor < 0) {
                throw new IOException("memfd_create failed with error " + (int) Calls.ERRNO.get(state, 0L)
                        + " of the system; a sandbox may forbid it");
            }
            return (int) descriptor;
        } catch (IOException | RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    void close(int descriptor) {
        try {
            int ignored = (int) Calls.CLOSE.invokeExact(descriptor);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    /** Memory for a time that is waited for. */
    static MemorySegment time(Arena arena) {
        return arena.allocate(ValueLayout.JAVA_LONG, 2);
    }

    /** Sleeps while a word has a value, at most for some time; may also return for no reason. */
    void sleepWhile(MemorySegment word, int value, long nanos, MemorySegment time) {
        time.setAtIndex(ValueLayout.JAVA_LONG, 0, nanos / NANOS);
        time.setAtIndex(ValueLayout.JAVA_LONG, 1, nanos % NANOS);
        try {
            long ignored = (long) Calls.WAIT.invokeExact(futexNumber, word.address(), FUTEX_WAIT, value, time.address());
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        } finally {
            Reference.reachabilityFence(word);
            Reference.reachabilityFence(time);
        }
    }

    /** Wakes who sleeps on a word. */
    void wake(MemorySegment word) {
        try {
            long ignored = (long) Calls.WAKE.invokeExact(futexNumber, word.address(), FUTEX_WAKE, Integer.MAX_VALUE);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        } finally {
            Reference.reachabilityFence(word);
        }
    }
}
