package org.maniple.transport.tcp;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.maniple.api.transport.Transport;

class PrefaceTest {

    private static Preface preface(String unit) {
        byte[] nonce = new byte[Proof.NONCE_BYTES];
        Arrays.fill(nonce, (byte) 3);
        return Preface.of(new Transport.Identity(unit, 7, 2, 4, new byte[16]), 1, Preface.DATA, nonce);
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
        assertThat(read.objection(new Transport.Identity(longName, 7, 1, 4, new byte[16]))).isNull();
        assertThat(read.objection(new Transport.Identity(longName.replaceFirst("ü", "u"), 7, 1, 4, new byte[16]))).isNotNull();
    }

    @Test
    void aLengthThatDoesNotFitIsRefused() {
        byte[] bytes = preface("unit").encode();
        java.nio.ByteBuffer.wrap(bytes).putInt(32, 121);
        assertThat(Preface.decode(bytes)).isNull();
        java.nio.ByteBuffer.wrap(bytes).putInt(32, -1);
        assertThat(Preface.decode(bytes)).isNull();
    }
}
