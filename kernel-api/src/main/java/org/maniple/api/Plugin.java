package org.maniple.api;

/**
 * Optional service of a plugin that has a configuration of its own: the node {@code plugins: <id>:} of a configuration file is bound
 * to the record that it names, strictly (an unknown key is an error). Components may be {@code boolean}, {@code int}, {@code long},
 * {@code double}, {@link String}, {@link java.util.List} or records of these; a compact constructor checks ranges by throwing
 * {@link IllegalArgumentException} with a message that names the key. Extensions of the plugin receive it from their context.
 *
 * <p>Identity, version and the range of API versions are in the descriptor {@code plugin.properties}, so that they can be read
 * without running code of the plugin.
 */
public interface Plugin {

    /**
     * The record that this plugin's own configuration is bound to. The kernel opens its package for that itself.
     *
     * @return a record class of this plugin's module
     */
    Class<? extends Record> configurationType();
}
