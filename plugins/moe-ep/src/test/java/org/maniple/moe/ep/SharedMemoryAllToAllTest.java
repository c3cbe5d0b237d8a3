package org.maniple.moe.ep;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.maniple.api.ManipleException;
import org.maniple.api.PluginContext;
import org.maniple.api.collective.AllToAll;
import org.maniple.api.collective.Communicator;
import org.maniple.api.transport.Wire;
import org.maniple.collectives.tree.TreeCollectives;
import org.maniple.testkit.GivenContext;
import org.maniple.testkit.GivenSettings;
import org.maniple.testkit.VirtualRanks;
import org.maniple.transport.shm.ShmTransport;
import org.maniple.transport.tcp.TcpTransport;

class SharedMemoryAllToAllTest {

    private static final AllToAll SHM = new SharedMemoryAllToAll();

    private static AllToAll.Setting setting(Wire wire, int width, PluginContext context) {
        Communicator communicator = new TreeCollectives().open(wire, VirtualRanks.PATIENCE.toNanos(), context);
        return new AllToAll.Setting(communicator, communicator.group(1, List.of(0, 1)), width, 4, 4, 8, wire::allocate);
    }

    private static PluginContext context() {
        GivenContext empty = GivenContext.empty();
        return new GivenContext(new GivenSettings(SHM.options(), Map.of()), empty.host(), empty.announced());
    }

    @Test
    void ranksThatShareNoMemoryAreToldWhatToUse() {
        try (var ranks = VirtualRanks.open(new TcpTransport(), 2)) {
            ranks.run(wire -> assertThatThrownBy(() -> SHM.open(setting(wire, 64, context()), context()))
                    .isInstanceOf(ManipleException.class).hasMessageContaining("ranks [0, 1] do not all")
                    .hasMessageContaining("use direct"));
        }
    }

    @Test
    void aRowThatDoesNotFitIsAnErrorThatSaysSo() {
        try (var ranks = VirtualRanks.open(new ShmTransport(), 2)) {
            ranks.run(wire -> assertThatThrownBy(() -> SHM.open(setting(wire, 1 << 20, context()), context()))
                    .isInstanceOf(ManipleException.class).hasMessageContaining("1048576 elements")
                    .hasMessageContaining("use direct"));
        }
    }
}
