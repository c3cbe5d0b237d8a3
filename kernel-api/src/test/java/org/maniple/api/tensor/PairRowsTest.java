package org.maniple.api.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PairRowsTest {

    /** Three slots; token 0 needs slots 0 and 2, token 1 is computed elsewhere, token 2 needs slot 2. */
    private static PairRows filled() {
        var pairs = new PairRows(3, 2, 4, 8);
        pairs.begin(3);
        pairs.add(0, 0, 1);
        pairs.add(2, 0, 0);
        pairs.add(2, 2, 1);
        pairs.end();
        return pairs;
    }

    @Test
    void slotsFollowEachOtherAlsoWhereOneIsEmpty() {
        PairRows pairs = filled();

        assertThat(IntStream.rangeClosed(0, 3).map(pairs::start)).containsExactly(0, 1, 1, 3);
        assertThat(pairs.rows()).isEqualTo(3);
    }

    @Test
    void aChoiceFindsItsRowOrThatItIsNotHere() {
        PairRows pairs = filled();

        assertThat(List.of(pairs.row(0, 0), pairs.row(0, 1), pairs.row(1, 0), pairs.row(1, 1), pairs.row(2, 0), pairs.row(2, 1)))
                .containsExactly(1, 0, -1, -1, -1, 2);
    }

    @Test
    void aRowKnowsItsTokenAndWhichChoiceItIs() {
        PairRows pairs = filled();

        assertThat(IntStream.range(0, 3).mapToObj(row -> pairs.token(row) + "/" + pairs.choice(row))).containsExactly("0/1",
                "0/0", "2/1");
    }

    @Test
    void nothingOfTheStepBeforeIsLeft() {
        PairRows pairs = filled();
        pairs.begin(2);
        pairs.add(1, 1, 0);
        pairs.end();

        assertThat(pairs.rows()).isEqualTo(1);
        assertThat(IntStream.rangeClosed(0, 3).map(pairs::start)).containsExactly(0, 0, 1, 1);
        assertThat(List.of(pairs.row(0, 0), pairs.row(0, 1), pairs.row(1, 0), pairs.row(1, 1))).containsExactly(-1, -1, 0, -1);
    }

    @Test
    void aStepWithoutTokensHasNoRows() {
        PairRows pairs = filled();
        pairs.begin(0);
        pairs.end();

        assertThat(pairs.rows()).isZero();
        assertThat(pairs.start(3)).isZero();
    }
}
