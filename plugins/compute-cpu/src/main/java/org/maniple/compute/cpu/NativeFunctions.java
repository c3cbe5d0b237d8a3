package org.maniple.compute.cpu;

import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * The native functions of one instruction set that compute what lies between products.
 *
 * @param variant the instruction set
 * @param attention attention
 * @param rows operations on rows
 * @param forms what states may be held as for them; with others the Vector API computes
 * @param tiles attention with states that are not of floats where queries and weights may be rounded to 16 bits
 */
record NativeFunctions(String variant, NativeAttention attention, NativeRows rows, Set<CacheForm> forms,
        Optional<NativeAttention> tiles) {

    private static final String TILES = "amx";

    /** Copies the set. */
    NativeFunctions {
        forms = Set.copyOf(forms);
    }

    /** Those of an instruction set; empty if the library does not have them. */
    static Optional<NativeFunctions> of(NativeLibrary library, String variant) {
        return NativeAttention.of(library, variant).flatMap(
                attention -> NativeRows.of(library, variant).map(
                        rows -> new NativeFunctions(variant, attention, rows, EnumSet.allOf(CacheForm.class), Optional.empty())));
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
                NativeFunctions functions = found.get().checked(memory, announce);
                boolean tiles = isa.usable(loaded.library().variants()).contains(TILES);
                return Optional.of(tiles ? functions.with(tiles(loaded.library(), variant, memory, announce)) : functions);
            }
            if (found.isPresent()) {
                announce.accept("cpu: native attention and row operations for " + variant
                        + " do not compute what the Vector API computes, and are not used");
            }
        }
        return Optional.empty();
    }

    /** Without the forms of states for which they do not compute what the Vector API does. */
    private NativeFunctions checked(CheckMemory memory, Consumer<String> announce) {
        var agreed = EnumSet.of(CacheForm.F32);
        for (CacheForm form : EnumSet.complementOf(agreed)) {
            String name = "states " + form.word() + " " + variant;
            if (memory.passed(name) || AttentionCheck.agrees(attention, form, rows)) {
                memory.pass(name);
                agreed.add(form);
            } else {
                announce.accept("cpu: native attention for " + variant + " with a KV cache of " + form.word()
                        + " does not compute what the Vector API computes, and is not used");
            }
        }
        return new NativeFunctions(variant, attention, rows, agreed, Optional.empty());
    }

    /** The same with tiles. */
    NativeFunctions with(Optional<NativeAttention> found) {
        return new NativeFunctions(variant, attention, rows, forms, found);
    }

    private static Optional<NativeAttention> tiles(NativeLibrary library, String variant, CheckMemory memory,
            Consumer<String> announce) {
        return NativeAttention.tiles(library, variant).filter(tiles -> {
            boolean near = memory.passed("attention amx") || AttentionCheck.near(tiles, CacheForm.BF16)
                    && AttentionCheck.near(tiles, CacheForm.INT8);
            if (near) {
                memory.pass("attention amx");
            } else {
                announce.accept(
                        "cpu: attention with the tiles of amx is too far from what the Vector API computes, and is not used");
            }
            return near;
        });
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
