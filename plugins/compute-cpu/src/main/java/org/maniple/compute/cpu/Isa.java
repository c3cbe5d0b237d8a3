package org.maniple.compute.cpu;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** What the option {@code cpu-isa} may ask for. */
enum Isa {
    /** The most that the processor can do. */
    AUTO("auto", "amx", "avx512vnni", "avx2", "dotprod", "neon"),
    /** No native kernels. */
    VECTOR_API("vector-api"),
    /** At most AVX2. */
    AVX2("avx2", "avx2"),
    /** At most AVX-512. */
    AVX512("avx512", "avx512vnni", "avx2"),
    /** At most AMX. */
    AMX("amx", "amx", "avx512vnni", "avx2");

    /** The option's key. */
    static final String KEY = "cpu-isa";

    private final String word;
    /** Names, the best first, with spaces between. */
    private final String variants;

    Isa(String word, String... variants) {
        this.word = word;
        this.variants = String.join(" ", variants);
    }

    /** As it is written in the configuration. */
    String word() {
        return word;
    }

    /** All words. */
    static String[] words() {
        return Arrays.stream(values()).map(Isa::word).toArray(String[]::new);
    }

    /**
     * What a word of the configuration means.
     *
     * @throws IllegalArgumentException if it is none of them
     */
    static Isa of(String word) {
        return Arrays.stream(values()).filter(isa -> isa.word.equals(word)).findFirst()
                .orElseThrow(() -> new IllegalArgumentException(KEY + ": " + word));
    }

    /** The variants that may be used, the best first. */
    List<String> usable(List<String> variantsHere) {
        return Arrays.stream(variants.split(" ", -1)).filter(variantsHere::contains).toList();
    }

    /** The variant of the kernels to use; empty if there is none. */
    Optional<String> choose(List<String> usable) {
        return usable(usable).stream().findFirst();
    }
}
