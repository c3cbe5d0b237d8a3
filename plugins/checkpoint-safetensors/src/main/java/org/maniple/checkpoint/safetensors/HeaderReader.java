package org.maniple.checkpoint.safetensors;

import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.maniple.api.checkpoint.CheckpointException;
import org.maniple.api.checkpoint.StoredTensor;
import org.maniple.api.tensor.DType;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

/**
 * Reads and checks a header: 8 bytes with its length, little-endian, then that many bytes of JSON, then the tensors' data without holes
 * or overlaps. Nothing is believed before it is checked against the size of the file, and nothing is allocated by what a number in the
 * file says.
 */
final class HeaderReader {

    private static final int LENGTH_BYTES = 8;
    private static final int MAX_DIMENSIONS = 8;

    private static final Map<String, DType> TYPES = Map.ofEntries(Map.entry("F64", DType.F64), Map.entry("F32", DType.F32),
            Map.entry("F16", DType.F16), Map.entry("BF16", DType.BF16), Map.entry("F8_E4M3", DType.F8_E4M3),
            Map.entry("I64", DType.I64),
            Map.entry("I32", DType.I32), Map.entry("I16", DType.I16), Map.entry("I8", DType.I8), Map.entry("U8", DType.U8),
            Map.entry("BOOL", DType.BOOL));

    private final Path file;
    private final long fileBytes;
    private final Map<String, Header.Entry> tensors = new LinkedHashMap<>();
    /** What is being read, for messages. */
    private String where = "header";

    private HeaderReader(Path file, long fileBytes) {
        this.file = file;
        this.fileBytes = fileBytes;
    }

    /**
     * Reads the header of an open file.
     *
     * @throws CheckpointException if anything in it is not as the format says
     */
    static Header read(Path file, FileChannel channel) throws IOException {
        return new HeaderReader(file, channel.size()).read(channel);
    }

    private Header read(FileChannel channel) throws IOException {
        long length = headerLength(channel);
        long dataStart = LENGTH_BYTES + length;
        try (InputStream in = new ChannelInput(channel, LENGTH_BYTES, dataStart)) {
            if (in.read() != '{') {
                throw wrong("must begin with {");
            }
        }
        try (JsonParser parser = JsonText.parse(new ChannelInput(channel, LENGTH_BYTES, dataStart))) {
            readTensors(parser);
        } catch (JacksonException e) {
            throw new CheckpointException(message("is not valid: " + Shown.name(e.getOriginalMessage())), e);
        }
        checkCoverage(fileBytes - dataStart);
        return new Header(dataStart, tensors);
    }

    private long headerLength(FileChannel channel) throws IOException {
        if (fileBytes < LENGTH_BYTES + 2) {
            throw wrong("does not fit: the file has " + fileBytes + " bytes, a header needs at least " + (LENGTH_BYTES + 2));
        }
        long length = 0;
        try (InputStream in = new ChannelInput(channel, 0, LENGTH_BYTES)) {
            byte[] bytes = in.readNBytes(LENGTH_BYTES);
            for (int i = bytes.length - 1; i >= 0; i--) {
                length = length << 8 | bytes[i] & 0xFF;
            }
        }
        if (length < 2 || length > fileBytes - LENGTH_BYTES) {
            throw wrong("length is " + Long.toUnsignedString(length) + ", but the file has " + (fileBytes - LENGTH_BYTES)
                    + " bytes after it; the file is truncated or no safetensors file");
        }
        if (length > JsonText.MAX_BYTES) {
            throw wrong("length is " + length + ", more than the " + JsonText.MAX_BYTES + " that the format allows");
        }
        return length;
    }

    private void readTensors(JsonParser parser) {
        expect(parser.nextToken(), JsonToken.START_OBJECT, "an object");
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String name = parser.currentName();
            where = "tensor [" + Shown.name(name) + "]";
            expect(parser.nextToken(), JsonToken.START_OBJECT, "an object");
            if (name.equals("__metadata__")) {
                readMetadata(parser);
            } else {
                tensors.put(name, readTensor(parser, name));
            }
            if (tensors.size() > JsonText.MAX_TENSORS) {
                throw wrong("is one too many: a file may have " + JsonText.MAX_TENSORS);
            }
            where = "header";
        }
        if (parser.nextToken() != null) {
            throw wrong("goes on after its JSON object");
        }
    }

    private void readMetadata(JsonParser parser) {
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            expect(parser.nextToken(), JsonToken.VALUE_STRING, "an object of texts");
        }
    }

    private Header.Entry readTensor(JsonParser parser, String name) {
        String tensor = where;
        @Nullable
        DType dtype = null;
        @Nullable
        List<Long> shape = null;
        @Nullable
        List<Long> offsets = null;
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String field = parser.currentName();
            where = tensor + " field [" + Shown.name(field) + "]";
            JsonToken value = parser.nextToken();
            switch (field) {
                case "dtype" -> dtype = readType(parser, value);
                case "shape" -> shape = readNumbers(parser, value);
                case "data_offsets" -> offsets = readNumbers(parser, value);
                default -> throw wrong("is not known; a tensor has dtype, shape and data_offsets");
            }
        }
        where = tensor;
        if (dtype == null || shape == null || offsets == null) {
            throw wrong("must have dtype, shape and data_offsets");
        }
        long bytes = bytes(dtype, shape);
        if (offsets.size() != 2 || offsets.get(1) - offsets.get(0) != bytes) {
            throw wrong("has data_offsets " + offsets + ", but " + dtype + shape + " takes " + bytes + " bytes");
        }
        return new Header.Entry(new StoredTensor(name, dtype, shape, file.toString(), bytes), offsets.getFirst());
    }

    private DType readType(JsonParser parser, JsonToken value) {
        expect(value, JsonToken.VALUE_STRING, "a text");
        DType dtype = TYPES.get(parser.getString());
        if (dtype == null) {
            throw wrong("is [" + Shown.name(parser.getString()) + "], which cannot be read; known are "
                    + TYPES.keySet().stream().sorted()
                            .toList());
        }
        return dtype;
    }

    private List<Long> readNumbers(JsonParser parser, JsonToken value) {
        expect(value, JsonToken.START_ARRAY, "a list of whole numbers");
        var numbers = new ArrayList<Long>(4);
        for (JsonToken token = parser.nextToken(); token != JsonToken.END_ARRAY; token = parser.nextToken()) {
            expect(token, JsonToken.VALUE_NUMBER_INT, "a list of whole numbers");
            long number = parser.getLongValue();
            if (number < 0 || numbers.size() == MAX_DIMENSIONS) {
                throw wrong("must be at most " + MAX_DIMENSIONS + " numbers that are not negative");
            }
            numbers.add(number);
        }
        return numbers;
    }

    private long bytes(DType dtype, List<Long> shape) {
        try {
            return Math.multiplyExact(shape.stream().reduce(1L, Math::multiplyExact), (long) dtype.bytes());
        } catch (ArithmeticException e) {
            throw new CheckpointException(message("field [shape] is " + shape + ", more elements than can be counted"), e);
        }
    }

    /** The data must be covered without holes and overlaps, as the format demands: what no tensor names could hide anything. */
    private void checkCoverage(long dataBytes) {
        var byOffset = new ArrayList<>(tensors.values());
        byOffset.sort(Comparator.comparingLong(Header.Entry::offset).thenComparingLong(Header.Entry::end));
        long covered = 0;
        for (Header.Entry entry : byOffset) {
            where = "tensor [" + Shown.name(entry.tensor().name()) + "] field [data_offsets]";
            if (entry.offset() != covered) {
                throw wrong(
                        "begins at " + entry.offset() + ", but the tensors before it end at " + covered + "; data must have no "
                                + (entry.offset() > covered ? "holes" : "overlaps"));
            }
            covered = entry.end();
            if (covered > dataBytes) {
                throw wrong("ends at " + covered + ", but the file has " + dataBytes + " bytes of data; the file is truncated");
            }
        }
        where = "header";
        if (covered != dataBytes) {
            throw wrong("describes " + covered + " bytes of data, but the file has " + dataBytes);
        }
    }

    private void expect(@Nullable JsonToken token, JsonToken expected, String words) {
        if (token != expected) {
            throw wrong("must be " + words);
        }
    }

    private CheckpointException wrong(String what) {
        return new CheckpointException(message(what));
    }

    private String message(String what) {
        return file + ": " + where + " " + what;
    }
}
