package org.maniple.kernel.config;

/**
 * A value that somebody gave to a key.
 *
 * @param key the key
 * @param value of the option's type
 * @param origin who gave it
 * @param source where exactly, for messages
 * @param spelling how the key was written, without dashes in front
 */
record Given(String key, Object value, Origin origin, String source, String spelling) {

    /** With the key written as it is. */
    Given(String key, Object value, Origin origin, String source) {
        this(key, value, origin, source, key);
    }

    /** Who can give values; the first one wins. */
    enum Origin {
        FLAG, VARIABLE, FILE, PLATFORM, DERIVED, DEFAULT
    }
}
