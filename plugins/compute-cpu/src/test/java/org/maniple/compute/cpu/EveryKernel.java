package org.maniple.compute.cpu;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.stream.IntStream;
import java.util.zip.CRC32C;
import org.maniple.api.compute.Kernel;
import org.maniple.api.graph.BuiltinOp;
import org.maniple.api.graph.ElementFunction;
import org.maniple.api.graph.ElementFunction.Activation;
import org.maniple.api.graph.OpCall;
import org.maniple.api.tensor.BlockRows;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.PairRows;
import org.maniple.api.tensor.Tensor;
import org.maniple.api.tensor.UnitList;

/** One call of every operation, for the tests that hold for all of them. As a program it prints what each computes. */
final class EveryKernel {

    private static final int SUMMED = 217;
    private static final int COLUMNS = 41;
    private static final int BLOCKS = 64;
    /** Rows of activations for kernels that are chosen for as many. */
    private static final int MANY = 18;

    private final BatchStep step;
    private final Map<String, OpCall> calls = new LinkedHashMap<>();

    /** Calls on some rows, which follow some others in their sequence. */
    EveryKernel(int rows) {
        step = new BatchStep(BLOCKS).span(300, rows).select(IntStream.range(0, rows).toArray());
        Tensor x = Tensors.random(1, rows, SUMMED);
        for (DType type : new DType[] {DType.F32, DType.BF16, DType.F16}) {
            calls.put("contract " + type,
                    Calls.contract(x, Tensors.random(2, type, 1, COLUMNS, SUMMED), Tensors.zeros(rows, COLUMNS)));
            calls.put("embed " + type, Calls.embed(Tensors.ids(new int[rows]), Tensors.random(3, type, 1, 2, SUMMED),
                    Tensors.zeros(rows, SUMMED), 2, UnitList.range(0, 2)));
        }
        putBlocks(rows);
        putExperts(rows, x);
        putLatent(rows);
        Tensor squares = Tensors.zeros(rows);
        calls.put("squares", Calls.sumSquares(x, squares));
        calls.put("normalize", Calls.normalize(x, squares, Tensors.random(4, SUMMED), Tensors.zeros(rows, SUMMED), 1e-6f, 1));
        Tensor y = Tensors.random(5, rows, SUMMED);
        for (Activation activation : Activation.values()) {
            calls.put("glu " + activation,
                    Calls.elementwise(new ElementFunction.Glu(activation), x, y, Tensors.zeros(rows, SUMMED)));
        }
        calls.put("cap", Calls.elementwise(new ElementFunction.SoftCap(3), x, Tensors.zeros(rows, SUMMED)));
        calls.put("scale", Calls.elementwise(new ElementFunction.Scale(3), x, Tensors.zeros(rows, SUMMED)));
        calls.put("add", Calls.elementwise(new ElementFunction.Add(), x, Tensors.random(6, SUMMED), Tensors.zeros(rows, SUMMED)));
        Tensor queries = Tensors.random(7, rows, 6, 44);
        calls.put("rope", Calls.rope(new BuiltinOp.Rope(List.of(1.0, 0.1, 0.01), 1, false), queries, Tensors.zeros(rows, 6, 44)));
        Tensor keys = Tensors.random(8, BLOCKS * 16, 2, 44);
        Tensor values = Tensors.random(9, BLOCKS * 16, 2, 44);
        calls.put("attend", Calls.attend(new BuiltinOp.Attend(0.2, 0), queries, keys, values, Tensors.zeros(rows, 6, 44), 6, 2,
                UnitList.range(0, 6), UnitList.range(0, 2)));
        calls.put("attend with sinks", Calls.attend(new BuiltinOp.Attend(0.2, 0), queries, keys, values,
                Optional.of(Tensors.random(26, DType.BF16, 0, 6)), Tensors.zeros(rows, 6, 44), 6, 2, UnitList.range(0, 6),
                UnitList.range(0, 2)));
        for (CacheForm form : new CacheForm[] {CacheForm.BF16, CacheForm.INT8}) {
            calls.put("attend " + form, Calls.attend(new BuiltinOp.Attend(0.2, 0), queries,
                    States.random(form, 8, BLOCKS * 16, 2, 44), States.random(form, 9, BLOCKS * 16, 2, 44),
                    Tensors.zeros(rows, 6, 44), 6, 2, UnitList.range(0, 6), UnitList.range(0, 2)));
            calls.put("cache " + form, Calls.cache(Tensors.random(10, rows, 2, 44), States.empty(form, BLOCKS * 16, 2, 44)));
        }
        calls.put("cache", Calls.cache(Tensors.random(10, rows, 2, 44), Tensors.zeros(BLOCKS * 16, 2, 44)));
        calls.put("select", Calls.select(x, Tensors.zeros(rows, SUMMED)));
        Tensor logits = Tensors.random(11, rows, 5000);
        calls.put("candidates", Calls.topK(20, logits, Tensors.zeros(rows, 42), 5000, UnitList.range(0, 5000)));
    }

    private void putBlocks(int rows) {
        Tensor x = Tensors.random(1, rows, 512);
        for (DType type : DType.values()) {
            if (type.blocked()) {
                Tensor weight = BlockWeights.random(27, type, BlockRows.whole(512), COLUMNS, 512);
                calls.put("contract " + type, Calls.contract(x, weight, Tensors.zeros(rows, COLUMNS)));
            }
        }
        for (DType type : new DType[] {DType.Q8_0, DType.Q4_0, DType.Q4_1}) {
            Tensor stored = BlockWeights.random(27, type, BlockRows.whole(512), COLUMNS, 512);
            calls.put("contract interleaved " + type,
                    Calls.contract(x, InterleavedContractTest.interleaved(stored, COLUMNS), Tensors.zeros(rows, COLUMNS)));
            calls.put("contract interleaved " + type + ", many rows", Calls.contract(Tensors.random(1, MANY, 512),
                    InterleavedContractTest.interleaved(stored, COLUMNS), Tensors.zeros(MANY, COLUMNS)));
        }
        BlockRows part = new BlockRows(256, List.of(new BlockRows.Run(3, 0, SUMMED)));
        calls.put("contract a part of Q5_K", Calls.contract(Tensors.random(1, rows, SUMMED),
                BlockWeights.random(28, DType.Q5_K, part, COLUMNS, SUMMED), Tensors.zeros(rows, COLUMNS)));
        calls.put("embed Q4_K", Calls.embed(Tensors.ids(new int[rows]), BlockWeights.random(29, DType.Q4_K, part, 2, SUMMED),
                Tensors.zeros(rows, SUMMED), 2, UnitList.range(0, 2)));
    }

    /** Weights of experts and with factors, by leaves, and what belongs to mixtures of experts. */
    private void putExperts(int rows, Tensor x) {
        PairRows pairs = Pairs.ofSizes(0, rows, 0);
        Tensor ragged = Pairs.over(x, pairs);
        Tensor scaled = Tensors.scaled(12, new int[] {COLUMNS, 208}, 64, 192, 208);
        Tensor odd = Tensors.scaled(13, new int[] {COLUMNS, SUMMED}, 70, SUMMED);
        Tensor ofBlocks = Tensors.random(14, rows, 208);
        calls.put("contract fp8", Calls.contract(ofBlocks, scaled, Tensors.zeros(rows, COLUMNS)));
        calls.put("contract fp8, odd blocks", Calls.contract(x, odd, Tensors.zeros(rows, COLUMNS)));
        calls.put("contract fp8, leaves",
                Calls.leaves(Calls.contract(ofBlocks, scaled, Tensors.zeros(rows, COLUMNS)), 32, 80, 160, 208));
        calls.put("contract, leaves", Calls.leaves(
                Calls.contract(x, Tensors.random(2, DType.BF16, 1, COLUMNS, SUMMED), Tensors.zeros(rows, COLUMNS)), 60, SUMMED));
        calls.put("squares, leaves", Calls.leaves(Calls.sumSquares(x, Tensors.zeros(rows)), 60, SUMMED));
        calls.put("contract experts", Calls.expertContract(ragged,
                Tensors.stacked(Tensors.random(15, DType.BF16, 1, 3, COLUMNS, SUMMED)), Pairs.zeros(pairs, rows, COLUMNS)));
        calls.put("bias of experts",
                Calls.expertMap(new ElementFunction.Add(), ragged, Tensors.random(16, DType.BF16, 1, 3, SUMMED),
                        Pairs.zeros(pairs, rows, SUMMED)));
        calls.put("combine", Calls.combine(ragged, Tensors.random(17, rows, 1), Tensors.zeros(rows, SUMMED)));
        calls.put("clamped glu", Calls.elementwise(new ElementFunction.ClampedGlu(1.7f, 1), x, Tensors.random(5, rows, SUMMED),
                Tensors.zeros(rows, SUMMED)));
        calls.put("clamp", Calls.elementwise(new ElementFunction.Clamp(1), x, Tensors.zeros(rows, SUMMED)));
        calls.put("row gate", Calls.rowGate(x, Tensors.random(18, rows, 1), Tensors.zeros(rows, SUMMED)));
        Tensor ids = Tensor.of(DType.I32, new int[] {rows, 8}, Tensors.zeros(rows, 8).segment());
        var route = new BuiltinOp.Route(BuiltinOp.Route.Score.SIGMOID, 8, 4, BuiltinOp.Route.GroupScore.TOP_TWO, true, 2.5);
        calls.put("route", Calls.route(route, Tensors.random(19, rows, 64), Optional.of(Tensors.random(20, 64)), ids,
                Tensors.zeros(rows, 8)));
    }

    private void putLatent(int rows) {
        for (DType type : new DType[] {DType.BF16, DType.F8_E4M3}) {
            int[] shape = {10, 24, 48};
            Tensor map = type == DType.BF16 ? Tensors.random(21, type, 1, shape) : Tensors.scaled(21, shape, 16, 48);
            calls.put("attend latent " + type,
                    Calls.attendLatent(0.01, Tensors.random(22, rows, 10, 24), Tensors.random(23, rows, 10, 8),
                            Tensors.random(24, BLOCKS * 16, 48), Tensors.random(25, BLOCKS * 16, 8), map, map,
                            Tensors.zeros(rows, 10, 24)));
        }
    }

    BatchStep step() {
        return step;
    }

    void forEach(CpuSession session, BiConsumer<String, Kernel> action) {
        calls.forEach((name, call) -> action.accept(name, Calls.compile(session, call)));
    }

    /** What each operation computes, as check sums. */
    static String digest() {
        return digest(Optional.empty());
    }

    /** The same with native functions. */
    static String digest(Optional<NativeFunctions> functions) {
        var text = new StringBuilder("bits " + Lanes.BITS + "\n");
        for (int rows : new int[] {1, 2, 7}) {
            var every = new EveryKernel(rows);
            try (var session = new CpuSession(new Workers(1, 1), LatentForm.ABSORBED, new VectorProducts(),
                    new Precision(true, false),
                    Optional.empty(), functions)) {
                every.forEach(session, (name, kernel) -> {
                    kernel.run(every.step);
                    OpCall call = every.calls.get(name);
                    var sum = new CRC32C();
                    for (Tensor out : call.outputs().isEmpty() ? List.of(call.input(1)) : call.outputs()) {
                        sum.update(out.segment().asByteBuffer());
                    }
                    text.append(name).append(", ").append(rows).append(" rows: ").append(Long.toHexString(sum.getValue()))
                            .append('\n');
                });
            }
        }
        return text.toString();
    }

    /** Prints the check sums. */
    public static void main(String[] arguments) {
        System.out.print(digest());
    }
}
