package org.maniple.transport.tcp;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.maniple.api.transport.Transport;

class PrefaceTest {

    private static Preface preface(String unit) {
        byte[] nonce = new byte[Proof.NONCE_BYTES];
        Arrays.fill(nonce, (byte) 3);
        var guard = new Guard(new byte[16], LinkSecurity.INTEGRITY);
        return Preface.of(new Transport.Identity(unit, 7, 2, 4, new byte[16]), guard, 1, Preface.DATA, nonce);
    }

    @Test
    void isReadAsItWasWritten() {
        Preface read = Preface.decode(preface("einheit-ä").encode());
        assertThat(read).usingRecursiveComparison().isEqualTo(preface("einheit-ä"));
    }

    @Test
    void longUnitNamesAreCompared() {
        String longName = "ü".repeat(100);
        Preface read = Preface.decode(preface(longName).encode());
        assertThat(read.objection(new Transport.Identity(longName, 7, 1, 4, new byte[16]), LinkSecurity.INTEGRITY)).isNull();
        assertThat(read.objection(new Transport.Identity(longName.replaceFirst("ü", "u"), 7, 1, 4, new byte[16]),
                LinkSecurity.INTEGRITY))
                .isNotNull();
    }

    @Test
    void aKindOfProtectionThatNobodyKnowsIsRefused() {
        byte[] bytes = preface("unit").encode();
        java.nio.ByteBuffer.wrap(bytes).putInt(32, 3);
        assertThat(Preface.decode(bytes)).isNull();
    }

    @Test
    void moreOrLessProtectionThanWantedIsRefused() {
        var own = new Transport.Identity("unit", 7, 1, 4, new byte[16]);
        for (LinkSecurity wanted : List.of(LinkSecurity.AUTH, LinkSecurity.ENCRYPT)) {
            assertThat(preface("unit").objection(own, wanted).text())
                    .isEqualTo("rank 2 has link-security integrity, rank 1 " + wanted + "; give all ranks the same");
        }
    }

    @Test
    void aLengthThatDoesNotFitIsRefused() {
        byte[] bytes = preface("unit").encode();
        java.nio.ByteBuffer.wrap(bytes).putInt(36, 121);
        assertThat(Preface.decode(bytes)).isNull();
        java.nio.ByteBuffer.wrap(bytes).putInt(36, -1);
        assertThat(Preface.decode(bytes)).isNull();
    }
}
