package org.maniple.api;

import java.util.List;
import org.maniple.api.config.Option;

/**
 * Something that the kernel finds in a plugin by {@link java.util.ServiceLoader} and that a configuration chooses by name. Providers
 * are public classes with a public constructor without arguments; they hold no state and do no work until one of their methods that
 * opens or loads something is called.
 */
public interface Extension {

    /**
     * The word that users write in a configuration, for example {@code tcp}.
     *
     * @return lower-case kebab ASCII, with underscores where a word of the field has them; unique among the extensions of one kind
     */
    String name();

    /**
     * Whether this extension can work on this host. Called while a unit is being composed, never later.
     *
     * @param host what is known of this machine
     * @return that it can, with a score, or why it cannot; never throws
     */
    default Availability availability(HostInfo host) {
        return Availability.available(0);
    }

    /**
     * The top-level configuration keys, and with them the flags, that this extension reads. They are accepted whenever its plugin
     * is enabled, also if the configuration chooses another extension of its kind.
     *
     * @return the options, in the order in which help lists them
     */
    default List<Option> options() {
        return List.of();
    }

    /**
     * What {@code maniple doctor} shows about this extension on this host: what it has found, which limits apply, what it would use with its
     * defaults and the variables of the environment, and what is in the way. May take a moment, and may load libraries.
     *
     * @param host what is known of this machine
     * @return lines for people; empty if there is nothing to say but {@link #availability}
     */
    default List<String> diagnosis(HostInfo host) {
        return List.of();
    }
}
