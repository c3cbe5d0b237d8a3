package org.maniple.it;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;
import org.maniple.api.checkpoint.Checkpoint;
import org.maniple.api.checkpoint.StoredTensor;
import org.maniple.api.tensor.DType;
import org.maniple.checkpoint.safetensors.SafetensorsFormat;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/**
 * Writes a checkpoint once quantised, as GPTQModel, AutoAWQ or llm-compressor write it, and once with the values that the integers stand for as floats.
 * Codes are the nearest ones; scales and zero points follow from the extremes of a group.
 */
final class IntegerConverter {

    /** Where codes, scales and zero points are, and what they are called. */
    enum Form {
        GPTQ, GPTQ_V2, AWQ, PACKED, BYTES, FLOATS
    }

    /**
     * A way of quantising.
     *
     * @param group columns; 0: all of a row
     * @param shuffled whether columns belong to groups in an order of their own
     */
    record Scheme(Form form, int bits, int group, boolean symmetric, boolean shuffled) {
        @Override
        public String toString() {
            return form + " " + bits + " bits" + (group == 0 ? " by rows" : " by " + group) + (symmetric ? "" : ", zero points")
                    + (shuffled ? ", shuffled" : "");
        }

        private boolean compressed() {
            return form == Form.PACKED || form == Form.BYTES || form == Form.FLOATS;
        }
    }

    private static final int[] AWQ_ORDER = {0, 2, 4, 6, 1, 3, 5, 7};

    /** The values of all bytes. */
    private static final float[] E4M3 = new float[256];

    static {
        for (int bits = 0; bits < E4M3.length; bits++) {
            int exponent = bits >> 3 & 15;
            float size = exponent == 0 ? (bits & 7) / 512f : (8 + (bits & 7)) * (float) Math.pow(2, exponent - 10);
            E4M3[bits] = (bits & 0x80) != 0 ? -size : size;
        }
    }

    private final Scheme scheme;
    private final SafetensorsWriter quantised = new SafetensorsWriter();
    private final SafetensorsWriter floats = new SafetensorsWriter();

    private IntegerConverter(Scheme scheme) {
        this.scheme = scheme;
    }

    /** Makes the folders {@code quantised} and {@code floats} beside each other. */
    static void convert(Path model, Path folder, Scheme scheme) {
        var converter = new IntegerConverter(scheme);
        try (Checkpoint checkpoint = new SafetensorsFormat().open(model)) {
            for (String name : new TreeSet<>(checkpoint.names())) {
                StoredTensor tensor = checkpoint.tensor(name).orElseThrow();
                if (tensor.shape().size() == 2 && name.contains("proj")) {
                    converter.quantise(name.replaceFirst("\\.weight$", ""), read(checkpoint, tensor),
                            tensor.shape().get(0).intValue(), tensor.shape().get(1).intValue());
                } else {
                    converter.copy(checkpoint, tensor);
                }
            }
            Map<String, Object> config = new JsonMapper().readValue(Files.readString(model.resolve("config.json")),
                    new TypeReference<LinkedHashMap<String, Object>>() {});
            write(folder.resolve("floats"), config, converter.floats);
            config.put("quantization_config", converter.config());
            write(folder.resolve("quantised"), config, converter.quantised);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void write(Path folder, Map<String, Object> config, SafetensorsWriter tensors) throws IOException {
        Files.createDirectories(folder);
        Files.writeString(folder.resolve("config.json"), new JsonMapper().writeValueAsString(config));
        tensors.write(folder.resolve("model.safetensors"));
    }

    private Map<String, Object> config() {
        if (!scheme.compressed()) {
            int group = scheme.group == 0 ? -1 : scheme.group;
            return scheme.form == Form.AWQ
                    ? Map.of("quant_method", "awq", "bits", scheme.bits, "group_size", group, "zero_point", true, "version",
                            "gemm")
                    : Map.of("quant_method", "gptq", "bits", scheme.bits, "group_size", group, "sym", scheme.symmetric,
                            "desc_act",
                            scheme.shuffled, "checkpoint_format", scheme.form == Form.GPTQ ? "gptq" : "gptq_v2");
        }
        var weights = new HashMap<String, Object>(Map.of("num_bits", scheme.bits, "type",
                scheme.form == Form.FLOATS ? "float" : "int", "symmetric", scheme.symmetric, "strategy",
                scheme.group == 0 ? "channel" : "group"));
        if (scheme.group > 0) {
            weights.put("group_size", scheme.group);
        }
        if (scheme.shuffled) {
            weights.put("actorder", "group");
        }
        String format = scheme.form == Form.PACKED
                ? "pack-quantized"
                : scheme.form == Form.BYTES ? "int-quantized" : "float-quantized";
        return Map.of("quant_method", "compressed-tensors", "format", format, "quantization_status", "compressed", "ignore",
                List.of("lm_head"), "config_groups", Map.of("group_0", Map.of("targets", List.of("Linear"), "weights", weights)));
    }

    private void copy(Checkpoint checkpoint, StoredTensor tensor) {
        try (Arena arena = Arena.ofConfined()) {
            byte[] bytes = checkpoint.map(tensor.name(), 0, tensor.bytes(), arena).toArray(JAVA_BYTE);
            long[] shape = tensor.shape().stream().mapToLong(Long::longValue).toArray();
            quantised.tensor(tensor.name(), tensor.dtype().name(), bytes, shape);
            floats.tensor(tensor.name(), tensor.dtype().name(), bytes, shape);
        }
    }

    private static float[] read(Checkpoint checkpoint, StoredTensor tensor) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = checkpoint.map(tensor.name(), 0, tensor.bytes(), arena);
            float[] elements = new float[(int) (tensor.bytes() / tensor.dtype().bytes())];
            for (int i = 0; i < elements.length; i++) {
                elements[i] = tensor.dtype() == DType.F32
                        ? memory.get(JAVA_FLOAT_UNALIGNED, 4L * i)
                        : Float.intBitsToFloat(memory.get(JAVA_SHORT_UNALIGNED, 2L * i) << 16);
            }
            return elements;
        }
    }

    /** Codes as whole numbers from 0 on, by rows and columns; scales and zero points by rows and groups. */
    private void quantise(String base, float[] w, int rows, int columns) {
        int group = scheme.group == 0 ? columns : scheme.group;
        int groups = Math.ceilDiv(columns, group);
        int[] groupOf = groupOf(base, columns, group);
        int[] codes = new int[w.length];
        int[] zeros = new int[rows * groups];
        float[] scales = new float[rows * groups];
        float[] values = new float[w.length];
        int top = (1 << scheme.bits) - 1;
        for (int row = 0; row < rows; row++) {
            for (int g = 0; g < groups; g++) {
                float low = 0;
                float high = 0;
                for (int column = 0; column < columns; column++) {
                    if (groupOf[column] == g) {
                        low = Math.min(low, w[row * columns + column]);
                        high = Math.max(high, w[row * columns + column]);
                    }
                }
                float scale = scheme.symmetric ? Math.max(-low, high) / (top / 2) : (high - low) / top;
                int at = row * groups + g;
                scales[at] = rounded(Math.max(scale, 1e-4f));
                zeros[at] = scheme.symmetric ? (top + 1) / 2 : Math.clamp(Math.round(-low / scales[at]), 0, top);
            }
            for (int column = 0; column < columns; column++) {
                int at = row * groups + groupOf[column];
                int i = row * columns + column;
                if (scheme.form == Form.FLOATS) {
                    codes[i] = e4m3(w[i] / (scales[at] * (top / 2) / 448));
                    values[i] = E4M3[codes[i]] * rounded(scales[at] * (top / 2) / 448);
                } else {
                    codes[i] = Math.clamp(Math.round(w[i] / scales[at]) + zeros[at], 0, top);
                    values[i] = (codes[i] - zeros[at]) * scales[at];
                }
            }
        }
        floats.floats(base + ".weight", values, rows, columns);
        switch (scheme.form) {
            case GPTQ, GPTQ_V2 -> gptq(base, codes, zeros, scales, groupOf, rows, columns, groups);
            case AWQ -> awq(base, codes, zeros, scales, rows, columns, groups);
            default -> compressed(base, codes, zeros, scales, groupOf, rows, columns, groups);
        }
    }

    private float rounded(float scale) {
        return scheme.compressed()
                ? Float.intBitsToFloat(Float.floatToRawIntBits(scale) & 0xffff0000)
                : Float.float16ToFloat(Float.floatToFloat16(scale));
    }

    private int[] groupOf(String base, int columns, int group) {
        var order = new ArrayList<Integer>();
        for (int column = 0; column < columns; column++) {
            order.add(column / group);
        }
        if (scheme.shuffled) {
            Collections.shuffle(order, new Random(base.hashCode()));
        }
        return order.stream().mapToInt(Integer::intValue).toArray();
    }

    private void gptq(String base, int[] codes, int[] zeros, float[] scales, int[] groupOf, int rows, int columns, int groups) {
        int together = 32 / scheme.bits;
        int[] words = new int[columns / together * rows];
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns; column++) {
                words[column / together * rows + row] |= codes[row * columns + column] << scheme.bits * (column % together);
            }
        }
        int[] points = new int[groups * rows / together];
        for (int row = 0; row < rows; row++) {
            for (int g = 0; g < groups; g++) {
                int stored = zeros[row * groups + g] - (scheme.form == Form.GPTQ ? 1 : 0) & (1 << scheme.bits) - 1;
                points[g * (rows / together) + row / together] |= stored << scheme.bits * (row % together);
            }
        }
        quantised.words(base + ".qweight", words, columns / together, rows);
        quantised.words(base + ".qzeros", points, groups, rows / together);
        quantised.halves(base + ".scales", turned(scales, rows, groups), groups, rows);
        quantised.words(base + ".g_idx", groupOf, columns);
    }

    private void awq(String base, int[] codes, int[] zeros, float[] scales, int rows, int columns, int groups) {
        int[] words = new int[columns * rows / 8];
        int[] points = new int[groups * rows / 8];
        for (int row = 0; row < rows; row += 8) {
            for (int place = 0; place < 8; place++) {
                int own = row + AWQ_ORDER[place];
                for (int column = 0; column < columns; column++) {
                    words[column * (rows / 8) + row / 8] |= codes[own * columns + column] << 4 * place;
                }
                for (int g = 0; g < groups; g++) {
                    points[g * (rows / 8) + row / 8] |= zeros[own * groups + g] << 4 * place;
                }
            }
        }
        quantised.words(base + ".qweight", words, columns, rows / 8);
        quantised.words(base + ".qzeros", points, groups, rows / 8);
        quantised.halves(base + ".scales", turned(scales, rows, groups), groups, rows);
    }

    private void compressed(String base, int[] codes, int[] zeros, float[] scales, int[] groupOf, int rows, int columns,
            int groups) {
        if (scheme.form == Form.FLOATS) {
            float[] factors = new float[rows];
            for (int row = 0; row < rows; row++) {
                factors[row] = rounded(scales[row] * (((1 << scheme.bits) - 1) / 2) / 448);
            }
            byte[] bytes = new byte[codes.length];
            for (int i = 0; i < bytes.length; i++) {
                bytes[i] = (byte) codes[i];
            }
            quantised.tensor(base + ".weight", "F8_E4M3", bytes, rows, columns);
            quantised.bf16(base + ".weight_scale", factors, rows, 1);
            return;
        }
        int middle = 1 << scheme.bits - 1;
        if (scheme.form == Form.BYTES) {
            quantised.bytes(base + ".weight", less(codes, middle), rows, columns);
            if (!scheme.symmetric) {
                quantised.bytes(base + ".weight_zero_point", less(zeros, middle), rows, groups);
            }
        } else {
            int together = 32 / scheme.bits;
            int width = Math.ceilDiv(columns, together);
            int[] words = new int[rows * width];
            int[] points = new int[Math.ceilDiv(rows, together) * groups];
            for (int row = 0; row < rows; row++) {
                for (int column = 0; column < columns; column++) {
                    words[row * width + column / together] |= codes[row * columns + column] << scheme.bits * (column % together);
                }
                for (int g = 0; g < groups; g++) {
                    points[row / together * groups + g] |= zeros[row * groups + g] << scheme.bits * (row % together);
                }
            }
            quantised.words(base + ".weight_packed", words, rows, width);
            quantised.words(base + ".weight_shape", new int[] {rows, columns}, 2);
            if (!scheme.symmetric) {
                quantised.words(base + ".weight_zero_point", points, Math.ceilDiv(rows, together), groups);
            }
            if (scheme.shuffled) {
                quantised.words(base + ".weight_g_idx", groupOf, columns);
            }
        }
        quantised.bf16(base + ".weight_scale", scales, rows, groups);
    }

    private static int[] less(int[] values, int middle) {
        return java.util.Arrays.stream(values).map(value -> value - middle).toArray();
    }

    private static float[] turned(float[] values, int rows, int groups) {
        float[] turned = new float[values.length];
        for (int row = 0; row < rows; row++) {
            for (int g = 0; g < groups; g++) {
                turned[g * rows + row] = values[row * groups + g];
            }
        }
        return turned;
    }

    /** The nearest of all finite ones. */
    private static int e4m3(float value) {
        int best = 0;
        for (int bits = 0; bits < 256; bits++) {
            if ((bits & 0x7f) != 0x7f && Math.abs(E4M3[bits] - value) < Math.abs(E4M3[best] - value)) {
                best = bits;
            }
        }
        return best;
    }
}
