package org.maniple.checkpoint.gguf;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.maniple.api.checkpoint.CheckpointException;
import org.maniple.api.tensor.DType;

/**
 * Reads and checks a header: magic, version, counts, metadata, descriptions of tensors. Nothing is believed before it is checked against the size of
 * the file, and nothing is allocated by what a number in the file says. Arrays are skipped; who wants one reads it later.
 */
final class HeaderReader {

    private static final int MAGIC = 0x4655_4747;
    private static final int MAX_VALUES = 1 << 16;
    private static final int MAX_TENSORS = 1_000_000;
    private static final long MAX_METADATA_TEXT = 64L << 20;
    private static final int MAX_KEPT_TEXT = 8 << 20;
    private static final int LONGEST_KEY = 1 << 10;
    private static final int LONGEST_NAME = 256;
    private static final int MAX_DIMENSIONS = 4;
    private static final long DEFAULT_ALIGNMENT = 32;
    private static final long MAX_ALIGNMENT = 1 << 20;
    /** A key and a value take this much at least: two lengths or numbers, and a byte. */
    private static final int LEAST_VALUE = 13;
    /** The length of the name, the number of dimensions, one of them, the type, the place. */
    private static final int LEAST_TENSOR = 32;

    private static final Map<Integer, DType> TYPES = Map.ofEntries(Map.entry(0, DType.F32), Map.entry(1, DType.F16),
            Map.entry(2, DType.Q4_0), Map.entry(3, DType.Q4_1), Map.entry(6, DType.Q5_0), Map.entry(7, DType.Q5_1),
            Map.entry(8, DType.Q8_0), Map.entry(10, DType.Q2_K), Map.entry(11, DType.Q3_K), Map.entry(12, DType.Q4_K),
            Map.entry(13, DType.Q5_K), Map.entry(14, DType.Q6_K), Map.entry(20, DType.IQ4_NL), Map.entry(24, DType.I8),
            Map.entry(25, DType.I16), Map.entry(26, DType.I32), Map.entry(27, DType.I64), Map.entry(28, DType.F64),
            Map.entry(30, DType.BF16), Map.entry(39, DType.MXFP4));

    /** Types that files have and that nothing here computes with. */
    private static final Map<Integer, String> UNKNOWN = Map.ofEntries(Map.entry(9, "Q8_1"), Map.entry(15, "Q8_K"),
            Map.entry(16, "IQ2_XXS"), Map.entry(17, "IQ2_XS"), Map.entry(18, "IQ3_XXS"), Map.entry(19, "IQ1_S"),
            Map.entry(21, "IQ3_S"), Map.entry(22, "IQ2_S"), Map.entry(23, "IQ4_XS"), Map.entry(29, "IQ1_M"),
            Map.entry(34, "TQ1_0"), Map.entry(35, "TQ2_0"), Map.entry(40, "NVFP4"));

    private final BoundedInput in;
    private final Map<String, Object> values = new LinkedHashMap<>();
    private final Map<String, GgufTensor> tensors = new LinkedHashMap<>();
    private long text;
    private long keptText;

    private HeaderReader(BoundedInput in) {
        this.in = in;
    }

    /**
     * Reads the header of an open file.
     *
     * @throws CheckpointException if anything in it is not as the format says
     */
    static Header read(Path file, FileChannel channel) throws IOException {
        return new HeaderReader(new BoundedInput(file, channel, 0)).read();
    }

    private Header read() throws IOException {
        in.at("header");
        if (in.int32() != MAGIC) {
            throw in.wrong("does not begin with GGUF; this is no GGUF file");
        }
        version(in.int32());
        long tensorCount = in.count(LEAST_TENSOR, "tensors");
        long valueCount = in.count(LEAST_VALUE, "metadata values");
        if (tensorCount > MAX_TENSORS || valueCount > MAX_VALUES) {
            throw in.wrong("claims " + tensorCount + " tensors and " + valueCount + " metadata values; at most " + MAX_TENSORS
                    + " and " + MAX_VALUES + " are accepted");
        }
        for (long i = 0; i < valueCount; i++) {
            readValue();
        }
        long alignment = alignment();
        var described = new ArrayList<GgufTensor>();
        for (long i = 0; i < tensorCount; i++) {
            described.add(readTensor(i, alignment));
        }
        in.at("header");
        long dataStart = Math.ceilDiv(in.position(), alignment) * alignment;
        for (GgufTensor tensor : described) {
            place(tensor, dataStart);
        }
        checkOverlaps();
        return new Header(Collections.unmodifiableMap(values), Collections.unmodifiableMap(tensors),
                Math.min(dataStart, in.size()));
    }

    private void version(int version) {
        if (version == 2 || version == 3) {
            return;
        }
        int swapped = Integer.reverseBytes(version);
        throw in.wrong(swapped == 2 || swapped == 3
                ? "is big-endian; only little-endian files can be read, convert it"
                : "has version " + Integer.toUnsignedString(version) + "; versions 2 and 3 can be read, convert it");
    }

    private void readValue() throws IOException {
        in.at("metadata key " + values.size());
        String key = in.text(LONGEST_KEY);
        count(key.length());
        in.at("metadata [" + Shown.name(key) + "]");
        Object value = value(type(in.int32()));
        if (values.put(key, value) != null) {
            throw in.wrong("occurs twice");
        }
    }

    private ValueType type(int number) {
        return ValueType.of(number).orElseThrow(() -> in.wrong("has a value of type " + Integer.toUnsignedString(number)
                + "; types are 0 to " + (ValueType.values().length - 1)));
    }

    private Object value(ValueType type) throws IOException {
        return switch (type) {
            case TEXT -> keptText();
            case ARRAY -> array();
            default -> number(in, type);
        };
    }

    /** A value of a fixed size. */
    static Object number(BoundedInput in, ValueType type) throws IOException {
        return switch (type) {
            case U8 -> (long) in.int8();
            case I8 -> (long) (byte) in.int8();
            case U16 -> (long) in.int16();
            case I16 -> (long) (short) in.int16();
            case U32 -> Integer.toUnsignedLong(in.int32());
            case I32 -> (long) in.int32();
            case U64, I64 -> in.int64();
            // The shortest decimal number that the float stands for: 1e-5, and not 9.999999747378752e-6.
            case F32 -> Double.parseDouble(Float.toString(Float.intBitsToFloat(in.int32())));
            case F64 -> Double.longBitsToDouble(in.int64());
            case BOOL -> {
                int value = in.int8();
                if (value > 1) {
                    throw in.wrong("has a truth value " + value + "; expected 0 or 1");
                }
                yield value == 1;
            }
            case TEXT, ARRAY -> throw new IllegalArgumentException(type + " has no fixed size");
        };
    }

    private String keptText() throws IOException {
        String value = in.text(BoundedInput.LONGEST_TEXT);
        count(value.length());
        keptText += value.length();
        if (keptText > MAX_KEPT_TEXT) {
            throw in.wrong("makes the metadata's texts longer than " + MAX_KEPT_TEXT + " characters");
        }
        return value;
    }

    private void count(long length) {
        text += length;
        if (text > MAX_METADATA_TEXT) {
            throw in.wrong("makes the metadata's texts longer than " + MAX_METADATA_TEXT + " bytes");
        }
    }

    private ArrayPlace array() throws IOException {
        ValueType type = type(in.int32());
        if (type == ValueType.ARRAY) {
            throw in.wrong("is an array of arrays, which no model needs");
        }
        long count = in.count(type == ValueType.TEXT ? Long.BYTES : type.bytes(), "elements");
        var place = new ArrayPlace(type, count, in.position());
        if (type != ValueType.TEXT) {
            in.skip(count * type.bytes());
            return place;
        }
        for (long i = 0; i < count; i++) {
            long length = in.count(1, "bytes of text");
            count(length);
            in.skip(length);
        }
        return place;
    }

    private long alignment() {
        in.at("metadata [general.alignment]");
        Object value = values.getOrDefault("general.alignment", DEFAULT_ALIGNMENT);
        if (value instanceof Long alignment && alignment > 0 && alignment <= MAX_ALIGNMENT && Long.bitCount(alignment) == 1) {
            return alignment;
        }
        throw in.wrong("is " + (value instanceof ArrayPlace ? "an array" : Shown.name(value.toString()))
                + "; expected a power of two, at most " + MAX_ALIGNMENT);
    }

    /** A tensor whose place is not yet counted from the beginning of the file. */
    private GgufTensor readTensor(long number, long alignment) throws IOException {
        in.at("tensor " + number);
        String name = in.text(LONGEST_NAME);
        in.at("tensor [" + Shown.name(name) + "]");
        int dimensions = in.int32();
        if (dimensions < 1 || dimensions > MAX_DIMENSIONS) {
            throw in.wrong("has " + Integer.toUnsignedString(dimensions) + " dimensions; expected 1 to " + MAX_DIMENSIONS);
        }
        var shape = new Long[dimensions];
        for (int i = dimensions - 1; i >= 0; i--) {
            shape[i] = in.int64();
            if (shape[i] < 1) {
                throw in.wrong("has an extent of " + Long.toUnsignedString(shape[i]));
            }
        }
        DType dtype = dtype(in.int32());
        long offset = in.int64();
        if (offset < 0 || offset % alignment != 0) {
            throw in.wrong("begins at " + Long.toUnsignedString(offset) + ", which is no multiple of the alignment " + alignment);
        }
        return new GgufTensor(name, dtype, List.of(shape), offset, bytes(dtype, shape));
    }

    private DType dtype(int number) {
        DType dtype = TYPES.get(number);
        if (dtype == null) {
            String known = TYPES.entrySet().stream().sorted(Map.Entry.comparingByKey()).map(e -> e.getValue().toString())
                    .collect(Collectors.joining(", "));
            throw in.wrong("has type " + UNKNOWN.getOrDefault(number, Integer.toUnsignedString(number))
                    + ", which cannot be read; known are " + known);
        }
        return dtype;
    }

    private long bytes(DType dtype, Long[] shape) {
        long row = shape[shape.length - 1];
        if (row % dtype.blockElements() != 0) {
            throw in.wrong("has rows of " + row + " elements, but " + dtype + " has blocks of " + dtype.blockElements());
        }
        try {
            return dtype.bytes(Arrays.stream(shape).reduce(1L, Math::multiplyExact));
        } catch (ArithmeticException e) {
            throw new CheckpointException(in.message("has shape " + List.of(shape) + ", more elements than can be counted"), e);
        }
    }

    private void place(GgufTensor tensor, long dataStart) {
        in.at("tensor [" + Shown.name(tensor.name()) + "]");
        long room = in.size() - dataStart;
        if (tensor.position() > room || tensor.bytes() > room - tensor.position()) {
            throw in.wrong("has " + tensor.bytes() + " bytes from " + tensor.position() + " on, but the file has "
                    + Math.max(0, room) + " bytes of data; it is truncated");
        }
        var placed = new GgufTensor(tensor.name(), tensor.dtype(), tensor.shape(), dataStart + tensor.position(), tensor.bytes());
        if (tensors.put(tensor.name(), placed) != null) {
            throw in.wrong("occurs twice");
        }
    }

    private void checkOverlaps() {
        var byPlace = new ArrayList<>(tensors.values());
        byPlace.sort(Comparator.comparingLong(GgufTensor::position));
        for (int i = 1; i < byPlace.size(); i++) {
            GgufTensor before = byPlace.get(i - 1);
            if (byPlace.get(i).position() < before.position() + before.bytes()) {
                in.at("tensor [" + Shown.name(byPlace.get(i).name()) + "]");
                throw in.wrong("begins within tensor [" + Shown.name(before.name()) + "]");
            }
        }
    }
}
