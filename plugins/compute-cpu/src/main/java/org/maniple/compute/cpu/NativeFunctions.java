package org.maniple.compute.cpu;

import java.util.Optional;
import java.util.function.Consumer;

/**
 * The native functions of one instruction set that compute what lies between products.
 *
 * @param variant the instruction set
 * @param attention attention
 * @param rows operations on rows
 */
record NativeFunctions(String variant, NativeAttention attention, NativeRows rows) {

    /** Those of an instruction set; empty if the library does not have them. */
    static Optional<NativeFunctions> of(NativeLibrary library, String variant) {
        return NativeAttention.of(library, variant).flatMap(
                attention -> NativeRows.of(library, variant).map(rows -> new NativeFunctions(variant, attention, rows)));
    }

    /**
     * The best variant that computes as the Vector API does.
     *
     * @param isa what may be used
     * @param memory which variants have been compared before
     * @param announce is told of each that does not
     */
    static Optional<NativeFunctions> best(NativeLibrary.Result library, Isa isa, CheckMemory memory,
            Consumer<String> announce) {
        if (!(library instanceof NativeLibrary.Loaded loaded)) {
            return Optional.empty();
        }
        for (String variant : isa.usable(loaded.library().variants())) {
            Optional<NativeFunctions> found = of(loaded.library(), variant);
            if (found.isPresent() && agrees(found.get(), memory)) {
                return found;
            }
            if (found.isPresent()) {
                announce.accept("cpu: native attention and row operations for " + variant
                        + " do not compute what the Vector API computes, and are not used");
            }
        }
        return Optional.empty();
    }

    private static boolean agrees(NativeFunctions functions, CheckMemory memory) {
        String name = "functions " + functions.variant();
        if (memory.passed(name)) {
            return true;
        }
        if (AttentionCheck.agrees(functions.attention) && RowsCheck.agrees(functions)) {
            memory.pass(name);
            return true;
        }
        return false;
    }
}
