package org.maniple.kernel.load;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.maniple.api.graph.Axis;
import org.maniple.api.graph.Dim;
import org.maniple.api.graph.TensorView;
import org.maniple.api.graph.TensorView.StoredDim;
import org.maniple.api.tensor.UnitList;

class SliceLayoutTest {

    private static final Dim OUT = new Axis("OUT").of(4);
    private static final Dim IN = new Axis("IN").of(3);
    private static final Dim INNER = new Axis("d").of(2);

    private static SliceLayout layout(List<Dim> dims, List<StoredDim> stored, UnitList out) {
        return SliceLayout.of(dims, stored,
                Map.of(OUT.axis(), out, IN.axis(), UnitList.range(0, 3), INNER.axis(), UnitList.range(0, 2)));
    }

    /** The stored elements in the order of the slice. */
    private static List<Long> elements(SliceLayout layout) {
        var elements = new ArrayList<Long>();
        layout.forEachRun((from, to, count) -> {
            assertThat(to).isEqualTo(elements.size());
            for (long i = 0; i < count; i++) {
                elements.add(from + i);
            }
        });
        return elements;
    }

    @Test
    void rowsThatFollowEachOtherAreContiguous() {
        SliceLayout layout = layout(List.of(OUT, IN), List.of(TensorView.dim(OUT), TensorView.dim(IN)), UnitList.range(1, 3));

        assertThat(layout.contiguous()).isEqualTo(3);
        assertThat(elements(layout)).containsExactly(3L, 4L, 5L, 6L, 7L, 8L);
    }

    @Test
    void rowsWithGapsAreCopiedInRuns() {
        SliceLayout layout = layout(List.of(OUT, IN), List.of(TensorView.dim(OUT), TensorView.dim(IN)), UnitList.of(0, 3));

        assertThat(layout.contiguous()).isEqualTo(-1);
        assertThat(elements(layout)).containsExactly(0L, 1L, 2L, 9L, 10L, 11L);
        assertThat(layout.span()).containsExactly(0, 12);
    }

    @Test
    void columnsAreCopiedRowByRow() {
        SliceLayout layout = layout(List.of(IN, OUT), List.of(TensorView.dim(IN), TensorView.dim(OUT)), UnitList.range(2, 4));

        assertThat(layout.contiguous()).isEqualTo(-1);
        assertThat(elements(layout)).containsExactly(2L, 3L, 6L, 7L, 10L, 11L);
        assertThat(layout.span()).containsExactly(2, 12);
    }

    @Test
    void anAxisMayBeBundledWithAnInnerOne() {
        SliceLayout layout = layout(List.of(OUT, INNER), List.of(TensorView.dim(OUT, INNER)), UnitList.range(1, 2));

        assertThat(layout.contiguous()).isEqualTo(2);
        assertThat(elements(layout)).containsExactly(2L, 3L);
    }

    @Test
    void oneHalfOfAFusedTensorIsPicked() {
        StoredDim fused = TensorView.dim(TensorView.pick(2, 1), TensorView.whole(OUT));
        SliceLayout layout = layout(List.of(OUT, IN), List.of(fused, TensorView.dim(IN)), UnitList.range(0, 4));

        assertThat(layout.contiguous()).isEqualTo(12);
        assertThat(elements(layout).getFirst()).isEqualTo(12);
    }

    @Test
    void interleavedElementsArePickedOneByOne() {
        StoredDim interleaved = TensorView.dim(TensorView.whole(OUT), TensorView.pick(2, 1));
        SliceLayout layout = layout(List.of(OUT), List.of(interleaved), UnitList.range(0, 4));

        assertThat(layout.contiguous()).isEqualTo(-1);
        assertThat(elements(layout)).containsExactly(1L, 3L, 5L, 7L);
    }

    @Test
    void aPartOfAStoredFactorHasAnAxisOfItsOwn() {
        StoredDim parts = TensorView.dim(TensorView.whole(OUT), TensorView.part(INNER, 5, 3));
        SliceLayout layout = layout(List.of(OUT, INNER), List.of(parts), UnitList.range(0, 2));

        assertThat(elements(layout)).containsExactly(3L, 4L, 8L, 9L);
    }

    @Test
    void theOrderOfTheSliceNeedNotBeTheStoredOne() {
        SliceLayout layout = layout(List.of(IN, OUT), List.of(TensorView.dim(OUT), TensorView.dim(IN)), UnitList.range(0, 2));

        assertThat(elements(layout)).containsExactly(0L, 3L, 1L, 4L, 2L, 5L);
    }

    @Test
    void noUnitsAreNoElements() {
        SliceLayout layout = layout(List.of(OUT, IN), List.of(TensorView.dim(OUT), TensorView.dim(IN)), UnitList.empty());

        assertThat(layout.elements()).isZero();
        assertThat(elements(layout)).isEmpty();
    }
}
