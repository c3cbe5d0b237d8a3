package org.maniple.moe.ep;

import java.util.List;
import org.maniple.api.PluginContext;
import org.maniple.api.collective.AllToAll;
import org.maniple.api.collective.PairExchange;
import org.maniple.api.config.Option;
import org.maniple.api.config.Settings;

/**
 * For ranks on several hosts, over whatever connects them: a token goes over the network once to each host that it visits, and is handed on there. Results
 * come back as with {@link DirectAllToAll}, for each of them is another.
 */
public final class RdmaAllToAll implements AllToAll {

    /** Has the options, which both ways share. */
    private final DirectAllToAll direct = new DirectAllToAll();

    @Override
    public String name() {
        return "rdma";
    }

    @Override
    public List<Option> options() {
        return direct.options();
    }

    @Override
    public boolean gathers() {
        return false;
    }

    @Override
    public PairExchange open(Setting setting, PluginContext context) {
        Settings settings = context.settings();
        RowCodec codec = DirectAllToAll.codec(setting, settings);
        return new DirectExchange(setting, codec,
                new HostDelivery(setting, codec.rowBytes(), DirectAllToAll.lowLatencyTokens(settings)));
    }
}
