package org.maniple.transport.rdma;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.NoSuchElementException;
import java.util.stream.Stream;

/**
 * libucp in this process. UCX replaces the handler of SIGSEGV when it is loaded unless told otherwise, and the JVM, which lives with that signal,
 * then dies at the first null pointer; so the environment is prepared first.
 */
final class UcxLibrary {

    /** What Linux distributions call it. */
    static final String NAME = "libucp.so.0";
    /** What to do where it is missing. */
    static final String INSTALL = "install UCX 1.13 or later (Debian and Ubuntu: libucx0; RHEL and Fedora: ucx and ucx-ib; or NVIDIA's HPC-X),"
            + " or give the path of libucp.so.0 as rdma-library";

    private static final int MAJOR = 1;
    /** The layouts of structures are those of this version, which later ones only add to. */
    static final int MINOR = 13;

    /** What came of looking for the library. */
    sealed interface Result permits Loaded, Missing {}

    /**
     * It is there.
     *
     * @param ucp its functions
     * @param version in numbers, for example {@code 1.13.1}
     * @param file where it was found
     */
    record Loaded(Ucp ucp, String version, String file) implements Result {}

    /**
     * It is not there, or cannot be used.
     *
     * @param reason as part of a sentence
     */
    record Missing(String reason) implements Result {}

    private UcxLibrary() {}

    /**
     * Loads the library, once per process; the environment is prepared each time, since nobody knows who will be the first.
     *
     * @param name a path, or a name that the system's loader finds
     */
    static Result load(String name) {
        prepare();
        SymbolLookup symbols;
        try {
            symbols = name.contains("/")
                    ? SymbolLookup.libraryLookup(Path.of(name), Arena.global())
                    : SymbolLookup.libraryLookup(name, Arena.global());
        } catch (IllegalArgumentException e) {
            return new Missing("[" + name + "] cannot be loaded: " + INSTALL);
        }
        try {
            return checked(new Ucp(symbols), name);
        } catch (NoSuchElementException e) {
            return new Missing(
                    "[" + name + "] is not libucp, or older than " + MAJOR + "." + MINOR + " (" + e.getMessage() + "): "
                            + INSTALL);
        }
    }

    private static Result checked(Ucp ucp, String name) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment numbers = arena.allocate(JAVA_INT, 3);
            ucp.version(numbers);
            int major = numbers.getAtIndex(JAVA_INT, 0);
            int minor = numbers.getAtIndex(JAVA_INT, 1);
            String version = major + "." + minor + "." + numbers.getAtIndex(JAVA_INT, 2);
            return major == MAJOR && minor >= MINOR
                    ? new Loaded(ucp, version, file(name))
                    : new Missing("[" + name + "] is UCX " + version + ", but this needs " + MAJOR + "." + MINOR + " or a later "
                            + MAJOR
                            + ".x: " + INSTALL);
        }
    }

    /** Must come before the first byte of UCX is loaded; its constructors read these. */
    private static void prepare() {
        // The JVM needs its handlers: UCX must not have any, whatever the environment says.
        LibC.environment("UCX_ERROR_SIGNALS", "", true);
        LibC.environment("UCX_HANDLE_ERRORS", "none", true);
        // No patches of mmap and munmap in the code of this process.
        LibC.environment("UCX_MEM_EVENTS", "n", false);
        // Standard output belongs to the program.
        LibC.environment("UCX_LOG_FILE", "stderr", false);
        // It warns of messages that came after a link had failed, which is no news.
        LibC.environment("UCX_LOG_LEVEL", "error", false);
    }

    /** Where the loader found it. */
    private static String file(String name) {
        try (Stream<String> lines = Files.lines(Path.of("/proc/self/maps"))) {
            return lines.filter(line -> line.contains("/libucp")).map(line -> line.substring(line.indexOf('/'))).findFirst()
                    .orElse(name);
        } catch (IOException e) {
            return name;
        }
    }
}
