package org.maniple.it;

import java.util.function.Consumer;
import org.maniple.api.HostInfo;
import org.maniple.api.PluginContext;
import org.maniple.api.config.Settings;

/**
 * What plugins are told in tests: two processors, no configuration of their own.
 *
 * @param announced told the lines that are for users
 */
record TestContext(Settings settings, Consumer<String> announced) implements PluginContext {

    /** One where nobody listens. */
    TestContext(Settings settings) {
        this(settings, line -> {});
    }

    @Override
    public <C extends Record> C configuration(Class<C> type) {
        throw new IllegalArgumentException("no plugin of these tests has a configuration");
    }

    @Override
    public HostInfo host() {
        return new HostInfo("test", "linux", "amd64", 2, 4L << 30);
    }

    @Override
    public void announce(String line) {
        announced.accept(line);
    }
}
