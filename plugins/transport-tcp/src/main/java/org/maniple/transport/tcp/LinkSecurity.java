package org.maniple.transport.tcp;

import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.maniple.api.config.Settings;

/** What protects a connection after its ends have proved who they are. Both ends must want the same: nobody can talk them into less. */
enum LinkSecurity {

    /** Checksums: what changes by chance on the way is noticed. */
    AUTH(""),
    /** Codes that nobody can make without the unit's secret: what somebody changes on the way is noticed, too. */
    INTEGRITY(" integrity"),
    /** TLS 1.3: nobody on the way can read it either. */
    ENCRYPT(" encrypt");

    /** A key of the kernel. */
    static final String KEY = "link-security";

    private final String path;

    LinkSecurity(String path) {
        this.path = path;
    }

    /** What a configuration says; the least if it does not know the key. */
    static LinkSecurity of(Settings settings) {
        return settings.declared(KEY) && settings.has(KEY) ? valueOf(settings.text(KEY).toUpperCase(Locale.ROOT)) : AUTH;
    }

    /** By its number in a preface; null if there is none. */
    static @Nullable LinkSecurity ofNumber(int number) {
        return number >= 0 && number < values().length ? values()[number] : null;
    }

    /** At the end of the path of a link. */
    String path() {
        return path;
    }

    /** As in a configuration. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
