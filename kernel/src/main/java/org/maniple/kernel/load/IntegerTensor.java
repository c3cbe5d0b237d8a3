package org.maniple.kernel.load;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.maniple.api.checkpoint.Checkpoint;
import org.maniple.api.checkpoint.CheckpointException;
import org.maniple.api.checkpoint.StoredTensor;
import org.maniple.api.tensor.DType;
import org.maniple.kernel.load.IntegerCodes.ZeroPoints;
import org.maniple.kernel.load.PackedIntegers.Layout;

/**
 * A weight {@code [rows, columns]} of {@link PackedIntegers} as blocks, or as floats. Scales become F16, which those of GPTQ and AWQ are; BF16 has no
 * digits more, but smaller numbers: below 2^-17 they are rounded.
 */
final class IntegerTensor implements ConvertedTensor {

    private static final String WEIGHT = ".weight";
    private static final int BLOCK = 32;
    /** Rows that are converted together: in two of the layouts those of a column lie side by side. */
    private static final int TOGETHER = 16;
    private static final long LOW = 0x0f0f0f0f0f0f0f0fL;
    private static final long FIFTH = 0x1010101010101010L;
    private static final long ONES = 0x0101010101010101L;
    private static final long TOPS = 0x8080808080808080L;

    private final Checkpoint checkpoint;
    private final PackedIntegers format;
    private final String base;
    private final StoredTensor codes;
    private final StoredTensor scales;
    private final @Nullable StoredTensor zeros;
    private final @Nullable StoredTensor order;
    private final int rows;
    private final int columns;
    private final int groups;
    private final StoredTensor seen;

    private IntegerTensor(Checkpoint checkpoint, PackedIntegers format, String name, StoredTensor codes) {
        this.checkpoint = checkpoint;
        this.format = format;
        this.base = base(name);
        this.codes = codes;
        DType type = format.layout() == Layout.BYTES ? DType.I8 : DType.I32;
        if (codes.dtype() != type || codes.shape().size() != 2) {
            throw new CheckpointException(
                    "tensor " + codes.name() + ": expected " + type + "[rows, columns], found " + codes.dtype()
                            + codes.shape() + " in " + codes.file());
        }
        int together = 32 / format.bits();
        long first = codes.shape().get(0);
        long second = codes.shape().get(1);
        this.rows = switch (format.layout()) {
            case GPTQ -> extent(second, 1);
            case AWQ -> extent(second, together);
            case PACKED, BYTES -> extent(first, 1);
        };
        this.columns = switch (format.layout()) {
            case GPTQ -> extent(first, together);
            case AWQ -> extent(first, 1);
            case PACKED -> columns(extent(second, together), together);
            case BYTES -> extent(second, 1);
        };
        this.groups = format.groups(columns);
        this.scales = required(format.layout() == Layout.GPTQ || format.layout() == Layout.AWQ ? ".scales" : ".weight_scale");
        checkScales();
        this.zeros = zeroPoints(together);
        this.order = order();
        boolean blocks = columns % BLOCK == 0 && (order == null || inOrder(order));
        DType held = blocks ? format.held() : DType.F32;
        this.seen = new StoredTensor(name, held, List.of((long) rows, (long) columns), codes.file(),
                held.bytes((long) rows * columns));
    }

    private static String base(String name) {
        return name.endsWith(WEIGHT) ? name.substring(0, name.length() - WEIGHT.length()) : name;
    }

    /**
     * A weight, if it is stored so.
     *
     * @param name the name of the weight, which ends in {@code .weight}
     * @return empty if there is no such tensor, or it is stored otherwise
     * @throws CheckpointException if something about its tensors does not fit
     */
    static Optional<ConvertedTensor> find(Checkpoint checkpoint, PackedIntegers format, String name) {
        if (!name.endsWith(WEIGHT)) {
            return Optional.empty();
        }
        String codes = switch (format.layout()) {
            case GPTQ, AWQ -> base(name) + ".qweight";
            case PACKED -> base(name) + ".weight_packed";
            case BYTES -> name;
        };
        return checkpoint.tensor(codes).filter(tensor -> format.layout() != Layout.BYTES || tensor.dtype() == DType.I8)
                .map(tensor -> new IntegerTensor(checkpoint, format, name, tensor));
    }

    private int extent(long words, int together) {
        long extent = Math.multiplyExact(words, (long) together);
        if (extent > Integer.MAX_VALUE) {
            throw new CheckpointException("tensor " + codes.name() + ": has " + codes.shape() + " elements, which are too many");
        }
        return (int) extent;
    }

    /** The columns may end within a word. */
    private int columns(int most, int together) {
        Optional<StoredTensor> shape = checkpoint.tensor(base + ".weight_shape");
        if (shape.isEmpty()) {
            return most;
        }
        StoredTensor stored = shape.get();
        if (!stored.shape().equals(List.of(2L)) || stored.dtype() != DType.I64 && stored.dtype() != DType.I32) {
            throw new CheckpointException("tensor " + stored.name() + ": expected I64[2] or I32[2], found " + stored.dtype()
                    + stored.shape() + " in " + stored.file());
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = checkpoint.map(stored.name(), 0, stored.bytes(), arena);
            long columns = stored.dtype() == DType.I64
                    ? memory.get(JAVA_LONG_UNALIGNED, 8)
                    : memory.get(JAVA_INT_UNALIGNED, 4);
            if (columns > most || columns <= most - together) {
                throw new CheckpointException("tensor " + stored.name() + ": has " + columns + " columns, but " + codes.name()
                        + " has " + codes.shape());
            }
            return (int) columns;
        }
    }

    private StoredTensor required(String suffix) {
        return checkpoint.tensor(base + suffix).orElseThrow(() -> new CheckpointException("tensor " + base + suffix
                + " is missing; it belongs to " + codes.name() + " of a checkpoint of " + format));
    }

    private void checkScales() {
        boolean byRow = format.layout() == Layout.PACKED || format.layout() == Layout.BYTES;
        List<Long> shape = byRow ? List.of((long) rows, (long) groups) : List.of((long) groups, (long) rows);
        boolean one = byRow && format.group() == 0 && elements(scales) == 1;
        boolean flat = byRow && groups == 1 && scales.shape().equals(List.of((long) rows));
        if (!one && !flat && !scales.shape().equals(shape)
                || !List.of(DType.F16, DType.BF16, DType.F32).contains(scales.dtype())) {
            throw new CheckpointException("tensor " + scales.name() + ": expected F16, BF16 or F32" + shape + " for groups of "
                    + (format.group() == 0 ? columns : format.group()) + " columns in " + codes.name() + ", found "
                    + scales.dtype()
                    + scales.shape() + " in " + scales.file());
        }
    }

    private static long elements(StoredTensor tensor) {
        return tensor.shape().stream().reduce(1L, Math::multiplyExact);
    }

    private @Nullable StoredTensor zeroPoints(int together) {
        boolean byRow = format.layout() == Layout.PACKED || format.layout() == Layout.BYTES;
        if (byRow && format.symmetric()) {
            return null;
        }
        StoredTensor stored = required(byRow ? ".weight_zero_point" : ".qzeros");
        boolean bytes = byRow && stored.dtype() == DType.I8;
        List<Long> shape = !byRow
                ? List.of((long) groups, (long) rows / together)
                : List.of(bytes ? (long) rows : Math.ceilDiv((long) rows, (long) together), (long) groups);
        boolean one = bytes && format.group() == 0 && elements(stored) == 1;
        boolean words = stored.dtype() == DType.I32 && format.layout() != Layout.BYTES;
        if (!one && !stored.shape().equals(shape) || !words && !bytes || !byRow && rows % together != 0) {
            throw new CheckpointException("tensor " + stored.name() + ": expected I32" + shape + " for " + codes.name() + " "
                    + codes.shape() + ", found " + stored.dtype() + stored.shape() + " in " + stored.file());
        }
        return stored;
    }

    /** Which group each column belongs to, if that may be in any order. */
    private @Nullable StoredTensor order() {
        if (!format.reordered() || format.group() == 0) {
            return null;
        }
        String suffix = format.layout() == Layout.GPTQ ? ".g_idx" : ".weight_g_idx";
        Optional<StoredTensor> found = checkpoint.tensor(base + suffix);
        found.ifPresent(stored -> {
            if (stored.dtype() != DType.I32 || !stored.shape().equals(List.of((long) columns))) {
                throw new CheckpointException("tensor " + stored.name() + ": expected I32[" + columns + "], found "
                        + stored.dtype() + stored.shape() + " in " + stored.file());
            }
        });
        return found.orElse(null);
    }

    private boolean inOrder(StoredTensor order) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = checkpoint.map(order.name(), 0, order.bytes(), arena);
            for (int column = 0; column < columns; column++) {
                if (memory.get(JAVA_INT_UNALIGNED, 4L * column) != column / format.group()) {
                    return false;
                }
            }
            return true;
        }
    }

    @Override
    public StoredTensor seen() {
        return seen;
    }

    private MemorySegment map(StoredTensor tensor, Arena arena) {
        return checkpoint.map(tensor.name(), 0, tensor.bytes(), arena);
    }

    @Override
    public Reader open(Arena arena) {
        MemorySegment words = map(codes, arena);
        MemorySegment zeroPoints = zeros == null ? MemorySegment.NULL : map(zeros, arena);
        IntegerCodes mapped = switch (format.layout()) {
            case GPTQ -> new IntegerCodes.Gptq(words, zeroPoints, format.bits(), rows, format.zeroOffset());
            case AWQ -> new IntegerCodes.Awq(words, zeroPoints, rows);
            case PACKED -> new IntegerCodes.Packed(words, Math.toIntExact(codes.shape().get(1)), zeroPoints(zeroPoints),
                    format.bits());
            case BYTES -> new IntegerCodes.Bytes(words, columns, zeroPoints(zeroPoints));
        };
        MemorySegment factors = map(scales, arena);
        MemorySegment groupOf = order == null ? MemorySegment.NULL : map(order, arena);
        return seen.dtype() == DType.F32 ? new Floats(mapped, factors, groupOf) : new Blocks(mapped, factors);
    }

    private ZeroPoints zeroPoints(MemorySegment memory) {
        if (zeros == null) {
            int middle = format.middle();
            return (row, group) -> middle;
        }
        if (zeros.dtype() == DType.I32) {
            return ZeroPoints.packed(memory, format.bits(), groups);
        }
        int each = elements(zeros) == 1 ? 0 : groups;
        ZeroPoints points = ZeroPoints.bytes(memory, format.middle(), each);
        return each == 0 ? (row, group) -> points.at(0, 0) : points;
    }

    /** The scale of a group of a row. */
    private float scale(MemorySegment factors, int row, int group) {
        boolean byRow = format.layout() == Layout.PACKED || format.layout() == Layout.BYTES;
        long index = byRow ? (long) row * groups + group : (long) group * rows + row;
        if (byRow && scales.shape().stream().allMatch(extent -> extent == 1)) {
            index = 0;
        }
        return switch (scales.dtype()) {
            case F32 -> factors.get(JAVA_FLOAT_UNALIGNED, 4 * index);
            case BF16 -> Float.intBitsToFloat(factors.get(JAVA_SHORT_UNALIGNED, 2 * index) << 16);
            default -> Float.float16ToFloat(factors.get(JAVA_SHORT_UNALIGNED, 2 * index));
        };
    }

    private CheckpointException wrong(String what, int row, int group) {
        return new CheckpointException("tensor " + codes.name() + ": " + what + " of row " + row + ", group " + group);
    }

    /** Makes blocks. */
    private final class Blocks implements Reader {
        private final IntegerCodes mapped;
        private final MemorySegment factors;
        private final DType type = seen.dtype();
        private final long rowBytes = type.bytes((long) columns);

        Blocks(IntegerCodes mapped, MemorySegment factors) {
            this.mapped = mapped;
            this.factors = factors;
        }

        @Override
        public void read(long offset, long length, MemorySegment target, long to) {
            long at = offset;
            long end = offset + length;
            while (at < end) {
                int row = Math.toIntExact(at / rowBytes);
                long within = at % rowBytes;
                long bytes = Math.min(end - at, rowBytes - within);
                int together = 1;
                if (within == 0 && bytes == rowBytes) {
                    together = (int) Math.min(TOGETHER, (end - at) / rowBytes);
                }
                convert(row, together, (int) (within / type.blockBytes()), (int) (bytes / type.blockBytes()), target,
                        to + at - offset, bytes);
                at += together * bytes;
            }
        }

        private void convert(int first, int count, int firstBlock, int blocks, MemorySegment target, long to, long stride) {
            for (int block = 0; block < blocks; block++) {
                int column = BLOCK * (firstBlock + block);
                int group = format.group() == 0 ? 0 : column / format.group();
                for (int row = first; row < first + count; row++) {
                    write(row, column, group, target, to + (row - first) * stride + (long) block * type.blockBytes());
                }
            }
        }

        private void write(int row, int column, int group, MemorySegment target, long at) {
            float scale = scale(factors, row, group);
            short half = Float.floatToFloat16(scale);
            if ((half & 0x7c00) == 0x7c00) {
                throw wrong("F16 does not have the scale " + scale, row, group);
            }
            int zero = mapped.zero(row, group);
            if (type != DType.Q5_0 && zero != format.middle()) {
                throw wrong("the weights are symmetric by the model's configuration, but " + zero + " is the zero point", row,
                        group);
            }
            target.set(JAVA_SHORT_UNALIGNED, at, half);
            long a = mapped.eight(row, column);
            long b = mapped.eight(row, column + 8);
            long c = mapped.eight(row, column + 16);
            long d = mapped.eight(row, column + 24);
            switch (type) {
                case Q8_0 -> {
                    target.set(JAVA_LONG_UNALIGNED, at + 2, a ^ TOPS);
                    target.set(JAVA_LONG_UNALIGNED, at + 10, b ^ TOPS);
                    target.set(JAVA_LONG_UNALIGNED, at + 18, c ^ TOPS);
                    target.set(JAVA_LONG_UNALIGNED, at + 26, d ^ TOPS);
                }
                case Q4_0 -> {
                    target.set(JAVA_LONG_UNALIGNED, at + 2, a | c << 4);
                    target.set(JAVA_LONG_UNALIGNED, at + 10, b | d << 4);
                }
                default -> {
                    long more = (16 - zero) * ONES;
                    a += more;
                    b += more;
                    c += more;
                    d += more;
                    target.set(JAVA_BYTE, at + 2, (byte) Long.compress(a, FIFTH));
                    target.set(JAVA_BYTE, at + 3, (byte) Long.compress(b, FIFTH));
                    target.set(JAVA_BYTE, at + 4, (byte) Long.compress(c, FIFTH));
                    target.set(JAVA_BYTE, at + 5, (byte) Long.compress(d, FIFTH));
                    target.set(JAVA_LONG_UNALIGNED, at + 6, a & LOW | (c & LOW) << 4);
                    target.set(JAVA_LONG_UNALIGNED, at + 14, b & LOW | (d & LOW) << 4);
                }
            }
        }
    }

    /** Makes floats, one by one. */
    private final class Floats implements Reader {
        private final IntegerCodes mapped;
        private final MemorySegment factors;
        private final MemorySegment groupOf;

        Floats(IntegerCodes mapped, MemorySegment factors, MemorySegment groupOf) {
            this.mapped = mapped;
            this.factors = factors;
            this.groupOf = groupOf;
        }

        @Override
        public void read(long offset, long length, MemorySegment target, long to) {
            for (long at = 0; at < length; at += Float.BYTES) {
                long element = (offset + at) / Float.BYTES;
                int row = Math.toIntExact(element / columns);
                target.set(JAVA_FLOAT_UNALIGNED, to + at, element(row, (int) (element % columns)));
            }
        }

        private float element(int row, int column) {
            int group = group(column);
            if (group < 0 || group >= groups) {
                throw wrong("column " + column + " has no group", row, group);
            }
            return (mapped.one(row, column) - mapped.zero(row, group)) * scale(factors, row, group);
        }

        private int group(int column) {
            if (groupOf.byteSize() > 0) {
                return groupOf.get(JAVA_INT_UNALIGNED, 4L * column);
            }
            return format.group() == 0 ? 0 : column / format.group();
        }
    }
}
