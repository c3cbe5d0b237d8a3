package org.maniple.kernel.config;

import java.util.Optional;
import java.util.function.Consumer;
import org.maniple.api.HostInfo;
import org.maniple.api.PluginContext;
import org.maniple.api.config.Settings;

/** What an extension of one plugin is given. */
record RankContext(String plugin, Settings settings, HostInfo host, Optional<Record> bound, Consumer<String> announcer)
        implements PluginContext {

    @Override
    public <C extends Record> C configuration(Class<C> type) {
        return bound.filter(type::isInstance).map(type::cast).orElseThrow(
                () -> new IllegalArgumentException("plugin [" + plugin + "] has no configuration record " + type.getName()));
    }

    @Override
    public void announce(String line) {
        announcer.accept(line);
    }
}
