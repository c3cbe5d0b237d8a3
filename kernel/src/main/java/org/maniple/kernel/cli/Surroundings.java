package org.maniple.kernel.cli;

import java.io.PrintStream;
import java.util.function.Function;
import java.util.function.Supplier;
import org.maniple.api.HostInfo;
import org.maniple.kernel.config.Installation;
import org.maniple.kernel.config.UnitConfigurationReader;
import org.maniple.kernel.plugin.LoadedPlugin;

/**
 * What commands work with. The installation and the host are looked up only by commands that need them.
 *
 * @param installation where plugins are
 * @param host this machine
 * @param builtIn the kernel's own extensions
 * @param reader reads configurations
 * @param starter starts units
 * @param out for results
 * @param err for mistakes
 * @param colours whether {@code out} is a terminal that shows colours
 */
public record Surroundings(
        Supplier<Installation> installation,
        Supplier<HostInfo> host,
        LoadedPlugin builtIn,
        Function<Installation, UnitConfigurationReader> reader,
        UnitStarter starter,
        PrintStream out,
        PrintStream err,
        boolean colours) {}
