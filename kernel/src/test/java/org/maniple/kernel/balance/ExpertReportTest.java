package org.maniple.kernel.balance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.maniple.api.mesh.ExpertPlacement;

class ExpertReportTest {

    private static final ExpertReport REPORT = new ExpertReport(3, 1, false, "the file is gone: ä", List.of(
            new ExpertReport.Decision(2, 0, List.of(5L, 1L << 40, 0L),
                    new ExpertPlacement(3, List.of(List.of(0, 2), List.of(1, 2)))),
            new ExpertReport.Decision(4, -1, List.of(1L, 2L), new ExpertPlacement(2, List.of(List.of(0), List.of(1))))));

    @Test
    void aMessageGivesTheSameReport() {
        byte[] message = REPORT.encode();
        assertThat(ExpertReport.isOne(message)).isTrue();
        assertThat(ExpertReport.decode(message)).isEqualTo(REPORT);
    }

    @Test
    void whatIsCutOrTooLongIsRefused() {
        byte[] message = REPORT.encode();
        for (int length = 1; length < message.length; length++) {
            byte[] cut = Arrays.copyOf(message, length);
            assertThatThrownBy(() -> ExpertReport.decode(cut)).isInstanceOf(IllegalArgumentException.class);
        }
        assertThatThrownBy(() -> ExpertReport.decode(Arrays.copyOf(message, message.length + 2)))
                .hasMessage("2 bytes too many");
    }

    @Test
    void noBytesDoHarm() {
        var random = new Random(5);
        int refused = 0;
        for (int round = 0; round < 20_000; round++) {
            byte[] message = REPORT.encode();
            for (int change = random.nextInt(4); change >= 0; change--) {
                message[1 + random.nextInt(message.length - 1)] = (byte) random.nextInt();
            }
            try {
                ExpertReport.decode(message);
            } catch (IllegalArgumentException expected) {
                refused++;
            }
        }
        assertThat(refused).isBetween(5_000, 20_000);
    }
}
