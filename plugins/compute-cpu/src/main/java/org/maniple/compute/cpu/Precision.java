package org.maniple.compute.cpu;

import org.maniple.api.config.Settings;

/**
 * What a session may do to activations before it multiplies them.
 *
 * @param reduced whether they may be rounded to fit the type of the weights; otherwise all products are of floats
 * @param exact whether bits must be the same on every layout and machine
 */
record Precision(boolean reduced, boolean exact) {

    /** The kernel's key for {@link #reduced}. */
    static final String ACTIVATION_DTYPE = "activation-dtype";
    private static final String NUMERICS = "numerics";

    /** What the configuration asks for. */
    static Precision of(Settings settings) {
        return new Precision(!is(settings, ACTIVATION_DTYPE, "f32"), is(settings, NUMERICS, "exact"));
    }

    private static boolean is(Settings settings, String key, String value) {
        return settings.declared(key) && settings.has(key) && settings.text(key).equals(value);
    }
}
