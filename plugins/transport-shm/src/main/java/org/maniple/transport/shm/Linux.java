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
import java.util.Optional;

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

    private static final StructLayout CAPTURED = Linker.Option.captureStateLayout();
    private static final VarHandle ERRNO = CAPTURED.varHandle(MemoryLayout.PathElement.groupElement("errno"));

    private final long memfdNumber;
    private final long futexNumber;
    private final MethodHandle memfd;
    private final MethodHandle closing;
    private final MethodHandle wait;
    private final MethodHandle wake;

    private Linux(long memfdNumber, long futexNumber, Linker linker) {
        this.memfdNumber = memfdNumber;
        this.futexNumber = futexNumber;
        MemorySegment syscall = linker.defaultLookup().findOrThrow("syscall");
        Linker.Option variadic = Linker.Option.firstVariadicArg(1);
        this.memfd = linker.downcallHandle(syscall, FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG,
                ValueLayout.ADDRESS, ValueLayout.JAVA_INT), variadic, Linker.Option.captureCallState("errno"));
        this.wait = linker.downcallHandle(syscall, FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG,
                ValueLayout.ADDRESS, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.ADDRESS), variadic);
        this.wake = linker.downcallHandle(syscall, FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG,
                ValueLayout.ADDRESS, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT), variadic);
        this.closing = linker.downcallHandle(linker.defaultLookup().findOrThrow("close"),
                FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
    }

    /** The system calls of this machine, if it is one whose numbers are known. */
    static Optional<Linux> here() {
        if (!System.getProperty("os.name").equals("Linux")) {
            return Optional.empty();
        }
        return switch (System.getProperty("os.arch")) {
            case "amd64" -> Optional.of(new Linux(319, 202, Linker.nativeLinker()));
            case "aarch64" -> Optional.of(new Linux(279, 98, Linker.nativeLinker()));
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
            MemorySegment state = arena.allocate(CAPTURED);
            long descriptor = (long) memfd.invokeExact(state, memfdNumber, arena.allocateFrom(name), MFD_CLOEXEC);
            if (descriptor < 0) {
                throw new IOException("memfd_create failed with error " + (int) ERRNO.get(state, 0L)
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
            int ignored = (int) closing.invokeExact(descriptor);
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
            long ignored = (long) wait.invokeExact(futexNumber, word, FUTEX_WAIT, value, time);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    /** Wakes who sleeps on a word. */
    void wake(MemorySegment word) {
        try {
            long ignored = (long) wake.invokeExact(futexNumber, word, FUTEX_WAKE, Integer.MAX_VALUE);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }
}
