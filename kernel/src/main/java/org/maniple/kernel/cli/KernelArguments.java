package org.maniple.kernel.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.maniple.api.tensor.DType;
import org.maniple.kernel.bench.KernelCase;

/**
 * The arguments of {@code bench kernels}.
 *
 * @param cases what is measured
 * @param rows of activations, ascending
 * @param memoryBytes of the weights of a case
 * @param seconds of each
 * @param json whether results are printed as JSON
 * @param unit what is left: flags of units
 */
record KernelArguments(List<KernelCase> cases, List<Integer> rows, long memoryBytes, double seconds, boolean json,
        List<String> unit) {

    private static final Set<DType> NO_WEIGHTS = Set.of(DType.F64, DType.I8, DType.U8, DType.I16, DType.I32, DType.I64,
            DType.BOOL);
    private static final int MOST_ROWS = 4096;

    static KernelArguments parse(List<String> arguments) {
        var rest = new ArrayList<>(arguments);
        String types = BenchArguments.value(rest, Set.of("--types"), "F32,F16,BF16,Q8_0,Q4_0,Q4_1,Q4_K,Q5_K,Q6_K");
        String shapes = BenchArguments.value(rest, Set.of("--shapes"), "4096x4096");
        List<Integer> rows = BenchArguments.numbers(rest, 1, "1,4,16,512", "--rows").stream().sorted().distinct().toList();
        String memory = BenchArguments.value(rest, Set.of("--memory"), "768MiB");
        String seconds = BenchArguments.value(rest, Set.of("--seconds"), "0.5");
        String output = BenchArguments.value(rest, Set.of("-o", "--output"), "table");
        BenchArguments.threads(rest);
        if (!Set.of("table", "json").contains(output)) {
            throw BenchArguments.mistake("--output: [" + output + "] is neither table nor json");
        }
        if (rows.getLast() > MOST_ROWS) {
            throw BenchArguments.mistake("--rows: at most " + MOST_ROWS + " rows can be measured at once");
        }
        if (!memory.matches("[1-9]\\d{0,4}(MiB|GiB)")) {
            throw BenchArguments.mistake("--memory: [" + memory + "] is no size; give one like 768MiB or 2GiB");
        }
        long unit = memory.endsWith("GiB") ? 1 << 30 : 1 << 20;
        return new KernelArguments(cases(types, shapes), rows, unit * Long.parseLong(memory.substring(0, memory.length() - 3)),
                BenchCommand.positive("--seconds", seconds).getFirst(), output.equals("json"), List.copyOf(rest));
    }

    private static List<KernelCase> cases(String types, String shapes) {
        var cases = new ArrayList<KernelCase>();
        for (String shape : shapes.split(",", -1)) {
            if (!shape.matches("[1-9]\\d{0,6}x[1-9]\\d{0,6}")) {
                throw BenchArguments.mistake("--shapes: [" + shape + "] is no shape; give rows and columns like 4096x4096");
            }
            int[] sizes = Arrays.stream(shape.split("x")).mapToInt(Integer::parseInt).toArray();
            for (String name : types.split(",", -1)) {
                DType type = type(name);
                if (sizes[1] % type.blockElements() != 0) {
                    throw BenchArguments
                            .mistake("--shapes: rows of " + sizes[1] + " elements are not whole blocks of " + type + " ("
                                    + type.blockElements() + " elements each)");
                }
                cases.add(new KernelCase(type, sizes[0], sizes[1]));
            }
        }
        return cases;
    }

    private static DType type(String name) {
        return Arrays.stream(DType.values()).filter(type -> !NO_WEIGHTS.contains(type))
                .filter(type -> type.name().equals(name.toUpperCase(Locale.ROOT))).findFirst()
                .orElseThrow(() -> BenchArguments.mistake("--types: [" + name + "] is no type of weights; there are "
                        + Arrays.stream(DType.values()).filter(type -> !NO_WEIGHTS.contains(type)).toList()));
    }
}
