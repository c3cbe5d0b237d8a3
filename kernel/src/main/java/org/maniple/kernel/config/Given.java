package org.maniple.kernel.config;

/**
 * A value that somebody gave to a key.
 *
 * @param key the key
 * @param value of the option's type
 * @param origin who gave it
 * @param source where exactly, for messages
 */
record Given(String key, Object value, Origin origin, String source) {

    /** Who can give values; the first one wins. */
    enum Origin {
        FLAG, VARIABLE, FILE, PLATFORM, DERIVED, DEFAULT
    }
}
