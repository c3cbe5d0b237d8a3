/**
 * What every plugin of Maniple shares: how an extension is named and probed, what it is told about its host, and how it reports
 * that it cannot work.
 *
 * <p>A plugin is a folder with modular jars and a {@code plugin.properties}. The kernel gives each folder a module layer of its own,
 * finds the providers of the extension points in it with {@link java.util.ServiceLoader}, and composes them as a configuration asks.
 * The extension points are the sub-interfaces of {@link org.maniple.api.Extension}.
 */
package org.maniple.api;
