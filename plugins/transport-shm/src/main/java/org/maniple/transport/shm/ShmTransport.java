package org.maniple.transport.shm;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.maniple.api.Availability;
import org.maniple.api.HostInfo;
import org.maniple.api.PluginContext;
import org.maniple.api.transport.Port;
import org.maniple.api.transport.Transport;
import org.maniple.api.transport.TransportException;

/**
 * Connects ranks on one host through memory that they share. Each rank has some memory without a file, into which its peers put their
 * frames; whoever waits for one looks for it, and after a while sleeps until it is woken (futex). Ranks open each other's memory by
 * {@code /proc/PID/fd}, which the kernel allows to processes of the same user only, and prove to each other in it that they know the unit's secret.
 */
public final class ShmTransport implements Transport {

    private static final String ELSEWHERE = "it needs Linux on amd64 or aarch64, not ";

    /** For the service loader. */
    public ShmTransport() {}

    @Override
    public String name() {
        return "shm";
    }

    @Override
    public Availability availability(HostInfo host) {
        Optional<Linux> linux = Linux.on(host);
        if (linux.isEmpty()) {
            return Availability.unavailable(ELSEWHERE + host.operatingSystem() + " on " + host.architecture());
        }
        try {
            int descriptor = linux.get().anonymousFile("maniple-probe");
            linux.get().close(descriptor);
            return Availability.available(0);
        } catch (IOException e) {
            return Availability.unavailable(String.valueOf(e.getMessage()));
        }
    }

    @Override
    public Port open(Identity identity, Bind bind, PluginContext context) {
        Linux linux = Linux.on(context.host()).orElseThrow(() -> new TransportException("transport shm cannot work: " + ELSEWHERE
                + context.host().operatingSystem() + " on " + context.host().architecture()));
        return ShmPort.open(linux, identity, context);
    }

    @Override
    public int[] islands(List<String> addresses) {
        return Locator.islands(addresses);
    }
}
