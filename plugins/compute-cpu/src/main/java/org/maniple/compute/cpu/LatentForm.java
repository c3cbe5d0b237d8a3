package org.maniple.compute.cpu;

import java.util.Locale;

/** How latent attention is computed. Both forms give the same up to rounding. */
enum LatentForm {
    /** The key map is applied to each query, the value map to the weighted sum of latents: what is read of a position is its latent. */
    ABSORBED,
    /** Every head's key and value of a position are made of its latent, each time a row needs them. For comparison: it is much slower. */
    EXPANDED;

    /** The word in a configuration. */
    String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The form that a word means. */
    static LatentForm of(String word) {
        return valueOf(word.toUpperCase(Locale.ROOT));
    }
}
