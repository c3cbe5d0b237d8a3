package org.maniple.it;

import java.util.List;
import java.util.Map;
import org.maniple.api.PluginContext;
import org.maniple.api.config.Option;
import org.maniple.api.config.OptionType;
import org.maniple.api.transport.Port;
import org.maniple.api.transport.Transport;
import org.maniple.testkit.GivenContext;
import org.maniple.testkit.GivenSettings;
import org.maniple.transport.tcp.TcpTransport;

/**
 * TCP with more than checksums.
 *
 * @param security {@code integrity} or {@code encrypt}
 */
record ProtectedTcp(String security) implements Transport {

    private static final String KEY = "link-security";

    @Override
    public String name() {
        return "tcp";
    }

    @Override
    public Port open(Identity identity, Bind bind, PluginContext context) {
        var settings = new GivenSettings(List.of(Option.of(KEY, OptionType.TEXT, "")), Map.of(KEY, security));
        return new TcpTransport().open(identity, bind,
                new GivenContext(settings, context.host(), GivenContext.empty().announced()));
    }
}
