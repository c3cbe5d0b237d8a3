package org.maniple.kernel.config;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Locale;
import org.maniple.api.HostInfo;

/** Describes the machine that this process runs on. */
public final class ThisHost {

    private ThisHost() {}

    /**
     * Asks the JVM, which takes the limits of a container into account.
     *
     * @param environment becomes a part of it, and may name the host, if its name cannot be resolved
     * @return what is known of this machine
     */
    public static HostInfo describe(Environment environment) {
        var system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        return new HostInfo(name(environment), System.getProperty("os.name").toLowerCase(Locale.ROOT),
                System.getProperty("os.arch"),
                Runtime.getRuntime().availableProcessors(), system.getTotalMemorySize(), environment.variables());
    }

    private static String name(Environment environment) {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            return environment.value("HOSTNAME").orElse("localhost");
        }
    }
}
