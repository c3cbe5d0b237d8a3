package org.maniple.kernel.load;

import java.util.List;
import java.util.Locale;
import org.maniple.api.model.ModelConfig;
import org.maniple.api.tensor.DType;

/**
 * How a checkpoint stores weights as integers that share a scale, and perhaps a zero point, in groups of columns: an element is
 * {@code (code - zero) · scale}. Ranks hold them in the block type that has every such value exactly: 4-bit codes with a zero point are whole numbers
 * from -16 to 15, which are the codes of Q5_0; if all zero points are in the middle, from -8 to 7, which are those of Q4_0; 8-bit codes with zero
 * points in the middle are those of Q8_0. What no block type has becomes F32.
 *
 * @param layout where codes, scales and zero points are
 * @param bits of a code: 4 or 8
 * @param group columns that share a scale; 0: all of a row
 * @param symmetric whether all zero points are in the middle
 * @param zeroOffset how much more zero points are than what is stored
 * @param reordered whether columns may belong to groups in any order
 */
public record PackedIntegers(Layout layout, int bits, int group, boolean symmetric, int zeroOffset, boolean reordered) {

    /** Ways of storing. */
    public enum Layout {
        /** GPTQ: codes of a column lie in a word, scales and zero points by groups and then rows. */
        GPTQ,
        /** AWQ, "gemm": codes of eight rows lie in a word, in an order of their own; scales and zero points by groups and then rows. */
        AWQ,
        /** compressed-tensors, "pack-quantized": codes of a row lie in a word, scales by rows and then groups. */
        PACKED,
        /** compressed-tensors, "int-quantized": a code is a signed byte. */
        BYTES
    }

    private static final int BLOCK = 32;

    /** The type in which a rank holds such a weight, unless its shape or its groups are unusual. */
    DType held() {
        if (group % BLOCK != 0) {
            return DType.F32;
        }
        if (layout == Layout.BYTES || bits == 8) {
            return symmetric ? DType.Q8_0 : DType.F32;
        }
        return symmetric ? DType.Q4_0 : DType.Q5_0;
    }

    /** The zero point of symmetric weights. */
    int middle() {
        return 1 << bits - 1;
    }

    /** Groups of a row. */
    int groups(long columns) {
        return group == 0 ? 1 : Math.toIntExact(Math.ceilDiv(columns, (long) group));
    }

    /** Bytes that some elements take in the files, with their scales and zero points: for plans. */
    long storedBytes(long elements, long columns) {
        long perGroup = group == 0 ? columns : group;
        long scales = Math.ceilDiv(elements, perGroup);
        return Math.ceilDiv(elements * bits, (long) Byte.SIZE) + scales * Short.BYTES
                + (symmetric && layout != Layout.GPTQ ? 0 : Math.ceilDiv(scales * bits, (long) Byte.SIZE));
    }

    /** As GPTQModel and AutoGPTQ write it. */
    static PackedIntegers gptq(ModelConfig values) {
        String format = values.text("checkpoint_format").orElse("gptq").toLowerCase(Locale.ROOT);
        if (!List.of("gptq", "gptq_v2").contains(format) || values.flag("is_marlin_format", false)) {
            throw values.unsupported("checkpoint_format", "gptq or gptq_v2; other layouts are made for one kind of device");
        }
        return new PackedIntegers(Layout.GPTQ, bits(values, "bits", 4, 8), group(values, "group_size"),
                values.flag("sym", true), format.equals("gptq") ? 1 : 0, values.flag("desc_act", false));
    }

    /** As AutoAWQ writes it. */
    static PackedIntegers awq(ModelConfig values) {
        String version = values.text("version").orElse("gemm").toLowerCase(Locale.ROOT);
        if (!version.equals("gemm")) {
            throw values.unsupported("version", "gemm; a checkpoint of another version must be packed anew");
        }
        return new PackedIntegers(Layout.AWQ, bits(values, values.has("bits") ? "bits" : "w_bit", 4),
                group(values, values.has("group_size") ? "group_size" : "q_group_size"), false, 0, false);
    }

    /** The integers of a scheme of compressed-tensors. */
    static PackedIntegers compressed(ModelConfig weights, boolean packed) {
        boolean symmetric = weights.flag("symmetric", true);
        String strategy = weights.text("strategy").orElse("");
        int group = switch (strategy) {
            case "group" -> group(weights, "group_size");
            case "channel", "tensor" -> 0;
            default -> throw weights.unsupported("strategy", "group, channel or tensor");
        };
        return packed
                ? new PackedIntegers(Layout.PACKED, bits(weights, "num_bits", 4, 8), group, symmetric, 0,
                        weights.text("actorder").orElse("").equals("group"))
                : new PackedIntegers(Layout.BYTES, bytes(weights), group, symmetric, 0, false);
    }

    /** Codes of fewer bits are stored as bytes too. */
    private static int bytes(ModelConfig weights) {
        bits(weights, "num_bits", 4, 8);
        return 8;
    }

    private static int bits(ModelConfig values, String key, Integer... known) {
        int bits = values.integer(key);
        if (!List.of(known).contains(bits)) {
            throw values.unsupported(key, String.join(" or ", List.of(known).stream().map(Object::toString).toList()));
        }
        return bits;
    }

    private static int group(ModelConfig values, String key) {
        int group = values.integer(key, -1);
        if (group < -1 || group == 0) {
            throw values.unsupported(key, "the columns of a group, or -1 for all of a row");
        }
        return Math.max(group, 0);
    }

    /** All of it. */
    String key() {
        return layout + " " + bits + " " + group + " " + symmetric + " " + zeroOffset + " " + reordered;
    }

    @Override
    public String toString() {
        return switch (layout) {
            case GPTQ -> "gptq";
            case AWQ -> "awq";
            case PACKED, BYTES -> "compressed-tensors";
        } + " " + bits + " bits";
    }
}
