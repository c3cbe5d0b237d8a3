package org.maniple.moe.ep;

import java.util.List;
import org.maniple.api.ManipleException;
import org.maniple.api.PluginContext;
import org.maniple.api.collective.AllToAll;
import org.maniple.api.collective.PairExchange;
import org.maniple.api.config.Option;

/** For ranks that share memory: each shows its tokens once, and takes those for its experts from where the others show them. */
public final class SharedMemoryAllToAll implements AllToAll {

    /** Has the options, which both ways share. */
    private final DirectAllToAll direct = new DirectAllToAll();

    @Override
    public String name() {
        return "shm";
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
        if (setting.group().size() == 1) {
            return direct.open(setting, context);
        }
        RowCodec codec = DirectAllToAll.codec(setting, context.settings());
        return setting.communicator().window(setting.group())
                .map(window -> new SharedMemoryExchange(setting, codec, window,
                        DirectAllToAll.lowLatencyTokens(context.settings())))
                .orElseThrow(() -> new ManipleException("all2all-backend [shm] is for ranks that share memory, but ranks "
                        + setting.group().ranks()
                        + " do not all: they are on several hosts, in containers of their own, or have another transport; use direct"));
    }
}
