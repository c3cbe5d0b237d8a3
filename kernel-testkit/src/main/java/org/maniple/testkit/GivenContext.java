package org.maniple.testkit;

import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.maniple.api.HostInfo;
import org.maniple.api.PluginContext;
import org.maniple.api.config.Settings;

/**
 * A context for tests, for plugins without a configuration of their own.
 *
 * @param settings the effective configuration
 * @param host the machine
 * @param announced receives what is announced; safe for use by several threads
 */
public record GivenContext(Settings settings, HostInfo host, List<String> announced) implements PluginContext {

    private static final long MEMORY = 1L << 30;

    /**
     * A context with no settings, on a machine with as many processors as this one.
     *
     * @return a new context
     */
    public static GivenContext empty() {
        int processors = Runtime.getRuntime().availableProcessors();
        return new GivenContext(new GivenSettings(List.of(), Map.of()),
                new HostInfo("localhost", "linux", System.getProperty("os.arch"), processors, MEMORY),
                new CopyOnWriteArrayList<>());
    }

    @Override
    public <C extends Record> C configuration(Class<C> type) {
        throw new IllegalArgumentException("there is no configuration [" + type.getName() + "] in this test");
    }

    @Override
    public void announce(String line) {
        announced.add(line);
    }
}
