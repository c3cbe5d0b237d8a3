package org.maniple.moe.ep;

import java.lang.foreign.MemorySegment;
import java.util.List;
import org.maniple.api.PluginContext;
import org.maniple.api.collective.AllToAll;
import org.maniple.api.collective.PairExchange;
import org.maniple.api.config.Option;
import org.maniple.api.transport.Window;
import org.maniple.api.transport.Wire;

/** Entries, rows and results of most steps take several rounds: a window with room for five rows. */
class NarrowWindowTest extends SharedMemoryExchangeContract {

    private static final long BYTES = 3000;

    NarrowWindowTest() {
        super("auto");
    }

    private record Narrow(Window window) implements Window {

        @Override
        public long bytes() {
            return BYTES;
        }

        @Override
        public MemorySegment own() {
            return window.own();
        }

        @Override
        public void publish(long tag, long bytes, long written) {
            window.publish(tag, bytes, written);
        }

        @Override
        public Wire.Pending arrival(int position) {
            return window.arrival(position);
        }

        @Override
        public MemorySegment of(int position) {
            return window.of(position);
        }
    }

    private record NarrowWindows(SharedMemoryAllToAll all) implements AllToAll {

        @Override
        public String name() {
            return all.name();
        }

        @Override
        public List<Option> options() {
            return all.options();
        }

        @Override
        public boolean gathers() {
            return all.gathers();
        }

        @Override
        public PairExchange open(Setting setting, PluginContext context) {
            return setting.communicator().window(setting.group())
                    .<PairExchange>map(
                            window -> new SharedMemoryExchange(setting, new PlainRows(setting.width()), new Narrow(window), 64))
                    .orElseGet(() -> all.open(setting, context));
        }
    }

    @Override
    protected AllToAll allToAll() {
        return new NarrowWindows(new SharedMemoryAllToAll());
    }
}
