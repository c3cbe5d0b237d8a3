package org.maniple.moe.ep;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.maniple.api.Availability;
import org.maniple.api.HostInfo;
import org.maniple.api.collective.AllToAll;

class AllToAllChoiceTest {

    private static final HostInfo HOST = new HostInfo("localhost", "linux", "amd64", 2, 1L << 30);

    @Test
    void gatheringIsTakenUnlessAnotherWayIsAskedFor() {
        assertThat(score(new AllGatherReduceScatter())).isGreaterThan(score(new DirectAllToAll()));
        assertThat(new AllGatherReduceScatter().gathers()).isTrue();
    }

    private static int score(AllToAll allToAll) {
        return allToAll.availability(HOST) instanceof Availability.Available available ? available.score() : -1;
    }
}
