package org.maniple.api;

import org.maniple.api.config.Settings;

/** What an extension may use when the kernel opens it. Safe for use by several threads. */
public interface PluginContext {

    /**
     * The effective configuration of this rank.
     *
     * @return all top-level keys with their values
     */
    Settings settings();

    /**
     * The plugin's own configuration, bound to the record of {@link Plugin#configurationType()}.
     *
     * @param type that record class
     * @param <C> that record class
     * @return the bound record; all defaults if the configuration does not mention the plugin
     * @throws IllegalArgumentException if the plugin has no such record
     */
    <C extends Record> C configuration(Class<C> type);

    /**
     * The machine that this rank runs on.
     *
     * @return what is known of it
     */
    HostInfo host();

    /**
     * Shows one line to the user at start-up, for example which path a back end has taken.
     *
     * @param line a sentence without a line break
     */
    void announce(String line);
}
