package org.maniple.kernel.unit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What ranks send each other besides the life of the unit. */
@Timeout(120)
class UnitParcelTest {

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Test
    void parcelsArriveInOrderInBothDirections() throws Exception {
        try (TestUnit unit = new TestUnit(3).ready()) {
            for (String word : List.of("one", "two", "three")) {
                unit.members.get(2).send(0, bytes(word));
                unit.members.get(0).send(2, bytes(word));
            }
            unit.members.get(0).send(1, new byte[0]);
            TestUnit.until(() -> unit.events(0).parcels.size() == 3 && unit.events(2).parcels.size() == 3
                    && unit.events(1).parcels.size() == 1);
            assertThat(unit.events(0).parcels).containsExactly("2: one", "2: two", "2: three");
            assertThat(unit.events(2).parcels).containsExactly("0: one", "0: two", "0: three");
            assertThat(unit.events(1).parcels).containsExactly("0: ");
        }
    }

    @Test
    void onlyRankZeroIsReachedFromOtherRanks() {
        try (TestUnit unit = new TestUnit(3).ready()) {
            assertThatThrownBy(() -> unit.members.get(1).send(2, bytes("x"))).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> unit.members.get(0).send(3, bytes("x"))).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void aParcelBeforeTheWelcomeIsAViolation() throws Exception {
        try (TestUnit unit = new TestUnit(2)) {
            var zero = TestUnit.async(unit.leader(Ticker.system())::join);
            MemoryEndpoint.MemoryLink link = unit.endpoint("10.0.0.9:7070", 1).dial(TestUnit.LEADER, 0,
                    java.time.Duration.ofSeconds(30));
            link.start(new IgnoringListener());
            link.send(MessageCodec.encode(new UnitMessage.Parcel(bytes("early"))));
            TestUnit.async(unit.follower(TestUnit.hello(1), Ticker.system())::join);
            assertThat(TestUnit.get(zero)).hasSize(2);
            assertThat(unit.events(0).parcels).isEmpty();
        }
    }

    @Test
    void nothingIsSentOnceTheUnitHasEnded() throws Exception {
        try (TestUnit unit = new TestUnit(2).ready()) {
            unit.members.get(1).fail("failed: out of memory");
            unit.events(0).end();
            unit.members.get(1).send(0, bytes("late"));
            unit.members.get(0).send(1, bytes("late"));
            assertThat(unit.events(0).parcels).isEmpty();
        }
    }
}
