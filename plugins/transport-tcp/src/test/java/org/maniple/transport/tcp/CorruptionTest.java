package org.maniple.transport.tcp;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.maniple.api.transport.TransportException;
import org.maniple.testkit.FaultyNetwork;
import org.maniple.testkit.VirtualRanks;

/** What both ends say before they trust each other cannot be changed on the way, also not to talk them into less protection. */
@Timeout(120)
class CorruptionTest {

    private static final int SECURITY = 35;
    private static final int FINGERPRINT = Preface.BYTES - Proof.NONCE_BYTES - 1;

    @ParameterizedTest
    @EnumSource(LinkSecurity.class)
    void aFlippedBitInTheHandshakeIsNoticed(LinkSecurity security) {
        for (int at : new int[] {20, SECURITY, 40, 60, 170, FINGERPRINT, Preface.BYTES, Preface.BYTES + 31}) {
            var network = new FaultyNetwork(new TcpTransport(false, security), false);
            network.inject(
                    FaultyNetwork.corrupt(at, at == SECURITY ? security == LinkSecurity.AUTH ? 1 : security.ordinal() : 0x10));
            try (var ranks = VirtualRanks.open(network, 2)) {
                assertThatThrownBy(() -> ranks.endpoint(1).dial(ranks.addresses().getFirst(), 0, VirtualRanks.PATIENCE))
                        .as("byte " + at)
                        .isInstanceOf(TransportException.class)
                        .hasMessageContaining("does not know the unit secret");
            }
        }
    }
}
