package org.maniple.compute.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.maniple.api.compute.ComputeSession;
import org.maniple.api.graph.BuiltinOp;
import org.maniple.api.graph.ElementFunction;
import org.maniple.api.graph.OpCall;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.Tensor;

/** Fused operations write what the single ones write, bit for bit. */
class FusionTest {

    private static final int ROWS = 7;

    private final Tensor x = Tensors.random(1, ROWS, 50);

    /** Runs operations as the executor does, and says how many each kernel covered. */
    private static List<Integer> run(int threads, List<OpCall> calls, boolean fuse) {
        var covers = new ArrayList<Integer>();
        BatchStep step = new BatchStep(9).span(20, ROWS);
        var region = new ComputeSession.Region(calls, Collections.nCopies(calls.size(), false));
        try (var session = new CpuSession(threads, 2)) {
            for (int from = 0; from < calls.size(); from += covers.getLast()) {
                if (fuse) {
                    var kernel = session.compile(region, from).orElseThrow();
                    kernel.kernel().run(step);
                    covers.add(kernel.covers());
                } else {
                    Calls.compile(session, calls.get(from)).run(step);
                    covers.add(1);
                }
            }
        }
        return covers;
    }

    private static List<float[]> outputs(List<OpCall> calls) {
        return calls.stream().flatMap(call -> call.outputs().stream()).map(Tensors::all).toList();
    }

    private static void assertSameBits(int threads, List<OpCall> calls, Integer... covers) {
        run(1, calls, false);
        List<float[]> expected = outputs(calls);
        calls.forEach(call -> call.outputs().forEach(out -> out.segment().fill((byte) 1)));
        assertThat(run(threads, calls, true)).containsExactly(covers);
        List<float[]> actual = outputs(calls);
        for (int i = 0; i < expected.size(); i++) {
            assertThat(actual.get(i)).as("output %d", i).isEqualTo(expected.get(i));
        }
    }

    private OpCall contract(long seed, Tensor out) {
        return Calls.contract(x, Tensors.random(seed, DType.BF16, 1, out.width(), 50), out);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void halvesOfANorm(int threads) {
        Tensor squares = Tensors.zeros(ROWS);
        Tensor out = Tensors.zeros(ROWS, 50);
        assertSameBits(threads, List.of(Calls.sumSquares(x, squares),
                Calls.normalize(x, squares, Tensors.random(3, 50), out, 1e-6f, 0)), 2);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void gateUpAndTheirProduct(int threads) {
        Tensor gate = Tensors.zeros(ROWS, 99);
        Tensor up = Tensors.zeros(ROWS, 99);
        var glu = new ElementFunction.Glu(ElementFunction.Activation.SILU);
        assertSameBits(threads,
                List.of(contract(2, gate), contract(3, up), Calls.elementwise(glu, gate, up, Tensors.zeros(ROWS, 99)),
                        Calls.sumSquares(x, Tensors.zeros(ROWS))),
                3, 1);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void gateUpAndTheirProductOfExperts(int threads) {
        var pairs = Pairs.ofSizes(3, 0, 4);
        Tensor rows = x.ragged(pairs);
        Tensor gate = Pairs.zeros(pairs, ROWS, 99);
        Tensor up = Pairs.zeros(pairs, ROWS, 99);
        for (ElementFunction glu : List.of(new ElementFunction.Glu(ElementFunction.Activation.SILU),
                new ElementFunction.ClampedGlu(1.702f, 7))) {
            assertSameBits(threads,
                    List.of(Calls.expertContract(rows, Tensors.stacked(Tensors.random(2, DType.BF16, 1, 3, 99, 50)), gate),
                            Calls.expertContract(rows, Tensors.stacked(Tensors.random(3, DType.BF16, 1, 3, 99, 50)), up),
                            Calls.elementwise(glu, gate, up, Pairs.zeros(pairs, ROWS, 99))),
                    3);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void contractionsOfTheRowsOfExpertsAroundTheirBiases(int threads) {
        var pairs = Pairs.ofSizes(3, 0, 4);
        Tensor rows = x.ragged(pairs);
        Tensor gate = Pairs.zeros(pairs, ROWS, 99);
        Tensor up = Pairs.zeros(pairs, ROWS, 99);
        assertSameBits(threads,
                List.of(Calls.expertContract(rows, Tensors.random(2, DType.BF16, 1, 3, 99, 50), gate),
                        Calls.expertMap(new ElementFunction.Add(), gate, Tensors.random(4, 3, 99), Pairs.zeros(pairs, ROWS, 99)),
                        Calls.expertContract(rows, Tensors.random(3, DType.BF16, 1, 3, 99, 50), up)),
                3);
    }

    /** In the order of a model with biases and norms of heads. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void queriesKeysAndValuesAroundWhatLiesBetweenThem(int threads) {
        Tensor unbiased = Tensors.zeros(ROWS, 24);
        Tensor queries = Tensors.zeros(ROWS, 24);
        Tensor queryHeads = Tensor.of(DType.F32, new int[] {ROWS, 3, 8}, queries.segment());
        Tensor squares = Tensors.zeros(ROWS, 3);
        Tensor normed = Tensors.zeros(ROWS, 3, 8);
        Tensor keys = Tensors.zeros(ROWS, 8);
        Tensor values = Tensors.zeros(ROWS, 8);
        var rope = new BuiltinOp.Rope(List.of(1.0, 0.1), 1, false);
        assertSameBits(threads, List.of(contract(2, unbiased),
                Calls.elementwise(new ElementFunction.Add(), unbiased, Tensors.random(3, 24), queries),
                Calls.sumSquares(queryHeads, squares),
                Calls.normalize(queryHeads, squares, Tensors.random(4, 8), normed, 1e-6f, 0),
                Calls.rope(rope, normed, Tensors.zeros(ROWS, 3, 8)),
                contract(5, keys), contract(6, values), Calls.sumSquares(x, Tensors.zeros(ROWS))), 7, 1);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void aNormAndTheContractionsOfWhatItMakes(int threads) {
        Tensor squares = Tensors.zeros(ROWS);
        Tensor normed = Tensors.zeros(ROWS, 50);
        assertSameBits(threads, List.of(Calls.sumSquares(x, squares),
                Calls.normalize(x, squares, Tensors.random(3, 50), normed, 1e-6f, 0),
                Calls.contract(normed, Tensors.random(4, DType.BF16, 1, 9, 50), Tensors.zeros(ROWS, 9)),
                Calls.contract(normed, Tensors.random(5, DType.BF16, 1, 24, 50), Tensors.zeros(ROWS, 24))), 4);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void aContractionAndWhatIsAddedToIt(int threads) {
        Tensor made = Tensors.zeros(ROWS, 99);
        Tensor sum = Tensors.zeros(ROWS, 99);
        assertSameBits(threads, List.of(contract(2, made),
                Calls.elementwise(new ElementFunction.Add(), Tensors.random(3, ROWS, 99), made, sum),
                Calls.sumSquares(sum, Tensors.zeros(ROWS))), 2, 1);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void whatWorksRowByRow(int threads) {
        Tensor sum = Tensors.zeros(ROWS, 3, 8);
        Tensor squares = Tensors.zeros(ROWS, 3);
        Tensor normed = Tensors.zeros(ROWS, 3, 8);
        var rope = new BuiltinOp.Rope(List.of(1.0, 0.1), 1, false);
        Tensor heads = Tensors.random(2, ROWS, 3, 8);
        assertSameBits(threads, List.of(Calls.elementwise(new ElementFunction.Scale(3), heads, sum), Calls.sumSquares(sum, squares),
                Calls.normalize(sum, squares, Tensors.random(4, 8), normed, 1e-6f, 0),
                Calls.rope(rope, normed, Tensors.zeros(ROWS, 3, 8)), contract(5, Tensors.zeros(ROWS, 9))), 4, 1);
    }

    @Test
    void contractionsOfDifferentInputsStayApart() {
        Tensor other = Tensors.random(8, ROWS, 50);
        assertSameBits(1, List.of(contract(2, Tensors.zeros(ROWS, 9)),
                Calls.contract(other, Tensors.random(3, 9, 50), Tensors.zeros(ROWS, 9))), 1, 1);
    }

    /** In a model whose blocks write back into their input's memory, the second contraction must see what was written. */
    @Test
    void contractionsStayBehindWhatMakesTheirInput() {
        Tensor made = Tensors.zeros(ROWS, 50);
        var scale = new BuiltinOp.Elementwise(new ElementFunction.Scale(2));
        OpCall rewrite = Calls.elementwise(scale.function(), Tensors.random(9, ROWS, 50), made);
        OpCall first = Calls.contract(made, Tensors.random(2, 9, 50), Tensors.zeros(ROWS, 9));
        OpCall second = Calls.contract(made, Tensors.random(3, 9, 50), Tensors.zeros(ROWS, 9));
        made.segment().fill((byte) 0);
        assertThat(run(1, List.of(first, rewrite, second), true)).containsExactly(1, 2);
    }
}
