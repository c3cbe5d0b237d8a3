package org.maniple.transport.tcp;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.maniple.api.HostInfo;
import org.maniple.api.config.Option;
import org.maniple.api.config.OptionType;
import org.maniple.api.transport.WaitStrategy;
import org.maniple.testkit.GivenContext;
import org.maniple.testkit.GivenSettings;

/** How ranks wait depends on how many threads they compute with. */
class WaitingThreadsTest {

    @Test
    void theThreadsOfARankAreTheConfiguredOnes() {
        var declared = new GivenSettings(List.of(Option.of("threads", OptionType.INTEGER, "Threads.")), Map.of("threads", 4));
        var host = new HostInfo("localhost", "linux", "amd64", 8, 1 << 30);
        var context = new GivenContext(declared, host, new CopyOnWriteArrayList<>());
        assertThat(WaitStrategy.of(2, context).looks()).isTrue();
        assertThat(WaitStrategy.of(3, context))
                .hasToString("waiting ranks sleep after 100 µs (3 ranks with 4 threads each on 8 processors)");
    }
}
