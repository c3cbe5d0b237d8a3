package org.maniple.compute.cpu;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.zip.CRC32;
import java.util.zip.CRC32C;

/**
 * The C kernels in this JVM: a shared library that the plugin's jar contains for some platforms. Loaded once and never unloaded. Safe for use by several threads.
 */
final class NativeLibrary {

    /** The library of another version has other symbols or arguments; the same number is in {@code maniple.h}. */
    static final int ABI = 4;

    private static final String FILE = "libmaniple_cpu.so";
    /** What {@code build.sh} builds for. */
    private static final List<String> PLATFORMS = List.of("linux-x86_64", "linux-aarch64");

    /** What came of looking for the library. */
    sealed interface Result permits Loaded, Missing {}

    /** It is there. */
    record Loaded(NativeLibrary library) implements Result {}

    /**
     * It is not there, or cannot be used.
     *
     * @param reason for a line to the user
     */
    record Missing(String reason) implements Result {}

    /** Loads it when it is first asked for. */
    private static final class Once {
        private static final Result RESULT = find();
    }

    private final SymbolLookup symbols;
    private final String build;
    private final List<String> variants;

    private NativeLibrary(SymbolLookup symbols, String build) throws Throwable {
        this.symbols = symbols;
        this.build = build;
        var linker = Linker.nativeLinker();
        int abi = (int) linker.downcallHandle(symbol("maniple_cpu_abi"), FunctionDescriptor.of(ValueLayout.JAVA_INT))
                .invokeExact();
        if (abi != ABI) {
            throw new IOException("has version " + abi + " of the interface, this plugin needs " + ABI + "; build both together");
        }
        var names = (MemorySegment) linker
                .downcallHandle(symbol("maniple_cpu_variants"), FunctionDescriptor.of(ValueLayout.ADDRESS)).invokeExact();
        MethodHandle runs = linker.downcallHandle(symbol("maniple_cpu_runs"),
                FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS));
        var usable = new ArrayList<String>();
        try (var arena = Arena.ofConfined()) {
            for (String name : names.reinterpret(256).getString(0).strip().split(" ", -1)) {
                if ((int) runs.invokeExact(arena.allocateFrom(name)) != 0) {
                    usable.add(name);
                }
            }
        }
        this.variants = List.copyOf(usable);
    }

    /** The library, or why there is none. */
    static Result load() {
        return Once.RESULT;
    }

    /** The instruction sets that it has kernels for and this processor can run, the least first. */
    List<String> variants() {
        return variants;
    }

    /** What tells it from other builds: its size and two sums of its bytes. */
    String build() {
        return build;
    }

    /** A function, if it has it. */
    Optional<MemorySegment> function(String name) {
        return symbols.find(name);
    }

    /**
     * A function that every library of this version has.
     *
     * @throws IllegalStateException if it has not
     */
    MemorySegment required(String name) {
        return function(name).orElseThrow(() -> new IllegalStateException("the library of native kernels has no " + name));
    }

    private MemorySegment symbol(String name) throws IOException {
        return function(name).orElseThrow(() -> new IOException("has no symbol " + name));
    }

    /** Of the platforms that the jar has a library for, the one that this process can load is its own. */
    @SuppressWarnings("IllegalCatch")
    private static Result find() {
        var reasons = new ArrayList<String>();
        for (String platform : PLATFORMS) {
            try (InputStream bytes = NativeLibrary.class.getResourceAsStream(platform + "/" + FILE)) {
                if (bytes != null) {
                    return new Loaded(extracted(bytes));
                }
            } catch (Throwable e) { // whatever is wrong with a library, computing goes on without it
                reasons.add("that for " + platform + " cannot be used: " + e.getMessage());
            }
        }
        return new Missing(reasons.isEmpty() ? "this build of the plugin has none" : String.join("; ", reasons));
    }

    /** Nobody else may read or replace the file before it is loaded; after that it is not needed. */
    private static NativeLibrary extracted(InputStream stream) throws Throwable {
        byte[] bytes = stream.readAllBytes();
        Path folder = Files.createTempDirectory("maniple-cpu",
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        Path file = folder.resolve(FILE);
        try {
            Files.write(file, bytes);
            return open(file, build(bytes));
        } finally {
            Files.deleteIfExists(file);
            Files.deleteIfExists(folder);
        }
    }

    private static String build(byte[] bytes) {
        var first = new CRC32();
        first.update(bytes);
        var second = new CRC32C();
        second.update(bytes);
        return "%d bytes, %08x %08x".formatted(bytes.length, first.getValue(), second.getValue());
    }

    private static NativeLibrary open(Path file, String build) throws Throwable {
        if (!Files.isReadable(file)) {
            throw new IOException("there is no such file, or it cannot be read");
        }
        return new NativeLibrary(SymbolLookup.libraryLookup(file, Arena.global()), build);
    }
}
