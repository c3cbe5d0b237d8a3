package org.maniple.transport.rdma;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.maniple.api.Availability;
import org.maniple.api.HostInfo;
import org.maniple.api.PluginContext;
import org.maniple.api.config.Option;
import org.maniple.api.config.Settings;
import org.maniple.api.transport.Port;
import org.maniple.api.transport.Transport;
import org.maniple.api.transport.TransportException;

/**
 * Connects ranks over InfiniBand and RoCE by UCX (libucp), which is called without a line of C. Ranks learn the addresses of each other's workers
 * over the unit's control links; the thread that uses a wire drives UCX itself.
 *
 * <p>UCX can also use TCP and the memory of a host; it does so only where the configuration names these, never in place of a device that is missing.
 */
public final class RdmaTransport implements Transport {

    private static final String NAME = "rdma";
    private static final String TRANSPORT = "transport";
    private static final String LINK_SECURITY = "link-security";
    private static final String AUTH = "auth";

    private final @Nullable RdmaSettings given;

    /** With what the configuration says. */
    public RdmaTransport() {
        this(null);
    }

    /** With settings that are given. */
    RdmaTransport(@Nullable RdmaSettings given) {
        this.given = given;
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public List<Option> options() {
        return RdmaSettings.OPTIONS;
    }

    @Override
    public Availability availability(HostInfo host) {
        return host.operatingSystem().equals("linux")
                ? Availability.available(0)
                : Availability.unavailable("it needs Linux, not " + host.operatingSystem());
    }

    @Override
    public List<String> diagnosis(HostInfo host) {
        return availability(host) instanceof Availability.Unavailable(String reason)
                ? List.of(reason)
                : Doctor.here(host.environment()).lines();
    }

    @Override
    public Port open(Identity identity, Bind bind, PluginContext context) {
        RdmaSettings settings = given == null ? RdmaSettings.of(context.settings()) : given;
        if (availability(context.host()) instanceof Availability.Unavailable(String reason)) {
            return refuse(identity, context.settings(), reason);
        }
        Optional<String> unprotected = unprotected(context.settings());
        if (unprotected.isPresent()) {
            return refuse(identity, context.settings(), unprotected.get());
        }
        Map<String, String> environment = context.host().environment();
        List<RdmaDevice> devices = RdmaDevice.all(RdmaDevice.DIRECTORY);
        Optional<String> obstacle = Obstacles.of(settings, environment, devices);
        if (obstacle.isPresent()) {
            return refuse(identity, context.settings(), obstacle.get());
        }
        return switch (UcxLibrary.load(settings.library())) {
            case UcxLibrary.Missing(String reason) -> refuse(identity, context.settings(), reason);
            case UcxLibrary.Loaded library ->
                open(identity, context, settings, library, settings.variables(environment, devices));
        };
    }

    private static Port open(Identity identity, PluginContext context, RdmaSettings settings, UcxLibrary.Loaded library,
            Map<String, String> variables) {
        try {
            return RdmaPort.open(identity, context, settings, library, variables);
        } catch (UcxException e) {
            return refuse(identity, context.settings(), "UCX " + library.version() + " cannot use " + settings.transports()
                    + (settings.devices().isEmpty() ? "" : " on " + settings.devices()) + ": " + e.getMessage()
                    + "; maniple doctor rdma shows what there is");
        }
    }

    /** Nothing is sent with less protection than was asked for. */
    private static Optional<String> unprotected(Settings settings) {
        return settings.declared(LINK_SECURITY) && !settings.text(LINK_SECURITY).equals(AUTH)
                ? Optional.of("it has checksums, but neither authentication codes nor encryption, and " + LINK_SECURITY + " is "
                        + settings.text(LINK_SECURITY) + "; use transport tcp, or link-security " + AUTH
                        + " on a network that nobody else is on")
                : Optional.empty();
    }

    /** If each pair of ranks may choose, this one is no choice; but who asks for it must not get something else. */
    private static Port refuse(Identity identity, Settings settings, String reason) {
        if (settings.declared(TRANSPORT) && settings.text(TRANSPORT).equals("auto")) {
            return new UnreachablePort(identity.rank(), reason);
        }
        throw new TransportException("rank " + identity.rank() + " cannot use transport rdma: " + reason);
    }
}
