package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.util.Map;
import java.util.Optional;

/**
 * What the Java platform has no words for: memory that takes no room before it is written, and threads that stay on a processor. Calls
 * functions of the C library on Linux. Safe for use by several threads.
 */
final class LinuxCalls {

    private static final int READ_WRITE = 0x3;
    private static final int PRIVATE_ANONYMOUS = 0x22;
    private static final int BIND = 2;
    /** The numbers of {@code set_mempolicy}, which the C library has no function for, by architecture. */
    private static final Map<String, Long> SET_MEMPOLICY = Map.of("amd64", 238L, "aarch64", 237L);
    private static final int NO_SUCH_CALL = 38;
    private static final long FAILED = -1;
    /** Where the system gives large pages, they are of this size on processors that have them, and begin at multiples of it. */
    private static final long LARGE_PAGE = 2L << 20;
    private static final int ADVISE_LARGE_PAGES = 14;
    private static final int MASK_WORDS = 16;

    /** The system's error number. */
    private static final class Errno {
        private static final Linker.Option KEPT = Linker.Option.captureCallState("errno");
        private static final MemoryLayout STATE = Linker.Option.captureStateLayout();
        private static final VarHandle NUMBER = STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));
    }

    private final MethodHandle map;
    private final MethodHandle advise;
    private final Linker linker;
    private final MemorySegment unmap;
    private final MemorySegment setAffinity;
    private final MemorySegment systemCall;

    private LinuxCalls(Linker linker, SymbolLookup library) {
        this.linker = linker;
        map = linker.downcallHandle(library.findOrThrow("mmap"),
                FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG));
        advise = linker.downcallHandle(library.findOrThrow("madvise"),
                FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT));
        unmap = library.findOrThrow("munmap");
        setAffinity = library.findOrThrow("sched_setaffinity");
        systemCall = library.findOrThrow("syscall");
    }

    /** Linked when it is called, as few are, and at the end: linking takes longer than all that it is for. */
    private MethodHandle linked(MemorySegment function, FunctionDescriptor descriptor, Linker.Option... options) {
        return linker.downcallHandle(function, descriptor, options);
    }

    /** Empty on other systems, and where the C library lacks one of the functions. */
    static Optional<LinuxCalls> find() {
        Linker linker = Linker.nativeLinker();
        try {
            return Optional.of(new LinuxCalls(linker, linker.defaultLookup()));
        } catch (RuntimeException e) {
            return Optional.empty();
        }
    }

    /**
     * Memory whose pages the system gives, zeroed, as they are first touched: large ones, if it can and may. A processor finds these sooner, and
     * reads ahead across their small neighbours' borders, which decides how fast weights stream in.
     *
     * @param arena its end is the end of the memory
     * @return empty if the system refuses
     */
    Optional<MemorySegment> map(long bytes, Arena arena) {
        boolean large = bytes >= LARGE_PAGE;
        long asked = large ? bytes + LARGE_PAGE : bytes;
        try {
            long first = (long) map.invokeExact(0L, asked, READ_WRITE, PRIVATE_ANONYMOUS, -1, 0L);
            if (first == FAILED) {
                return Optional.empty();
            }
            long address = large ? Math.ceilDiv(first, LARGE_PAGE) * LARGE_PAGE : first;
            if (large) {
                // What lies before it is not touched, so that it takes no room; it goes with the rest.
                int ignored = (int) advise.invokeExact(address, bytes, ADVISE_LARGE_PAGES);
            }
            return Optional
                    .of(MemorySegment.ofAddress(address).reinterpret(bytes, arena, memory -> unmap(first, asked)));
        } catch (Throwable e) {
            throw failed("mmap", e);
        }
    }

    private void unmap(long address, long bytes) {
        try {
            int ignored = (int) linked(unmap, FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG)).invokeExact(address, bytes);
        } catch (Throwable e) {
            throw failed("munmap", e);
        }
    }

    /**
     * Keeps the calling thread on a processor.
     *
     * @param processor its number
     * @return 0, or the system's error number
     */
    int pin(int processor) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(Errno.STATE);
            int result = (int) linked(setAffinity, FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS), Errno.KEPT)
                    .invokeExact(state, 0, 8L * MASK_WORDS, mask(arena, processor));
            return result == 0 ? 0 : (int) Errno.NUMBER.get(state, 0L);
        } catch (Throwable e) {
            throw failed("sched_setaffinity", e);
        }
    }

    /**
     * Lets memory that the calling thread touches first, and threads that it starts, come from a NUMA node alone.
     *
     * @param node its number
     * @param architecture of the machine, as the JVM names it
     * @return 0, or the system's error number
     */
    int bind(int node, String architecture) {
        Long number = SET_MEMPOLICY.get(architecture);
        if (number == null) {
            return NO_SUCH_CALL;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(Errno.STATE);
            long result = (long) linked(systemCall,
                    FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, ADDRESS, JAVA_LONG), Errno.KEPT,
                    Linker.Option.firstVariadicArg(1))
                    .invokeExact(state, (long) number, (long) BIND, mask(arena, node), 64L * MASK_WORDS);
            return result == 0 ? 0 : (int) Errno.NUMBER.get(state, 0L);
        } catch (Throwable e) {
            throw failed("set_mempolicy", e);
        }
    }

    private static MemorySegment mask(Arena arena, int bit) {
        if (bit < 0 || bit >= 64 * MASK_WORDS) {
            throw new IllegalArgumentException("number " + bit + "; at most " + (64 * MASK_WORDS - 1));
        }
        MemorySegment mask = arena.allocate(JAVA_LONG, MASK_WORDS);
        mask.setAtIndex(JAVA_LONG, bit / 64, 1L << bit % 64);
        return mask;
    }

    private static IllegalStateException failed(String function, Throwable cause) {
        return new IllegalStateException("the C library's " + function + " cannot be called: " + cause, cause);
    }
}
