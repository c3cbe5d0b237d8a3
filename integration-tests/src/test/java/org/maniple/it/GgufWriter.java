package org.maniple.it;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.maniple.api.tensor.BlockCodec;
import org.maniple.api.tensor.BlockEncoder;
import org.maniple.api.tensor.DType;

/** Writes GGUF files by the specification: whole or split, version 3 unless another is asked for. */
final class GgufWriter {

    private static final int ALIGNMENT = 32;
    private static final Map<DType, Integer> TYPES = Map.ofEntries(Map.entry(DType.F32, 0), Map.entry(DType.F16, 1),
            Map.entry(DType.Q4_0, 2), Map.entry(DType.Q4_1, 3), Map.entry(DType.Q5_0, 6), Map.entry(DType.Q5_1, 7),
            Map.entry(DType.Q8_0, 8), Map.entry(DType.Q2_K, 10), Map.entry(DType.Q3_K, 11), Map.entry(DType.Q4_K, 12),
            Map.entry(DType.Q5_K, 13), Map.entry(DType.Q6_K, 14), Map.entry(DType.IQ4_NL, 20), Map.entry(DType.BF16, 30),
            Map.entry(DType.MXFP4, 39));

    private record Tensor(long[] shape, DType type, byte[] bytes) {

        /** The floats that blocks stand for. */
        Tensor decoded() {
            if (!type.blocked()) {
                return this;
            }
            try (Arena arena = Arena.ofConfined()) {
                int count = bytes.length / type.blockBytes() * type.blockElements();
                MemorySegment floats = arena.allocate(ValueLayout.JAVA_FLOAT, count);
                MemorySegment blocks = arena.allocate(bytes.length).copyFrom(MemorySegment.ofArray(bytes));
                BlockCodec.of(type).decode(blocks, 0, floats, 0, count);
                return new Tensor(shape, DType.F32, floats.toArray(ValueLayout.JAVA_BYTE));
            }
        }
    }

    private final Map<String, Object> values = new LinkedHashMap<>();
    private final Map<String, Tensor> tensors = new LinkedHashMap<>();
    private int version = 3;

    /** A text, an int (as u32), a float, a truth value, or a list of texts, ints or floats. */
    GgufWriter value(String key, Object value) {
        values.put(key, value);
        return this;
    }

    /** The number of the format's version. */
    GgufWriter version(int number) {
        version = number;
        return this;
    }

    /** Elements, with the outermost extent first. What has fewer than two dimensions, or rows that are no whole blocks, is written as floats. */
    void tensor(String name, float[] elements, DType type, long... shape) {
        boolean whole = shape.length > 1 && shape[shape.length - 1] % type.blockElements() == 0;
        tensors.put(name, new Tensor(shape, whole ? type : DType.F32, bytes(elements, whole ? type : DType.F32)));
    }

    /** A tensor by its bytes. */
    void stored(String name, byte[] bytes, DType type, long... shape) {
        tensors.put(name, new Tensor(shape, type, bytes));
    }

    /** The same file with all blocks as the floats that they stand for. */
    GgufWriter decoded() {
        var floats = new GgufWriter().version(version);
        floats.values.putAll(values);
        tensors.forEach((name, tensor) -> floats.tensors.put(name, tensor.decoded()));
        return floats;
    }

    private static byte[] bytes(float[] elements, DType type) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment floats = arena.allocateFrom(ValueLayout.JAVA_FLOAT, elements);
            if (type == DType.F32) {
                return floats.toArray(ValueLayout.JAVA_BYTE);
            }
            Optional<BlockEncoder> encoder = BlockEncoder.of(type);
            if (encoder.isEmpty()) {
                return SuperBlockWriter.encode(type, elements);
            }
            MemorySegment blocks = arena.allocate(type.bytes((long) elements.length));
            encoder.get().encode(floats, 0, blocks, 0, elements.length);
            return blocks.toArray(ValueLayout.JAVA_BYTE);
        }
    }

    void write(Path file) {
        write(file, bytes());
    }

    /**
     * Writes parts, of which the first one has the metadata and every one a run of the tensors.
     *
     * @return their files
     */
    List<Path> writeParts(Path folder, String name, int parts) {
        var files = new ArrayList<Path>();
        List<String> names = List.copyOf(tensors.keySet());
        for (int part = 0; part < parts; part++) {
            var own = new LinkedHashMap<String, Object>(part == 0 ? values : Map.of());
            own.put("split.no", part);
            own.put("split.count", parts);
            own.put("split.tensors.count", names.size());
            var taken = new LinkedHashMap<String, Tensor>();
            for (String tensor : names.subList(names.size() * part / parts, names.size() * (part + 1) / parts)) {
                taken.put(tensor, tensors.get(tensor));
            }
            Path file = folder.resolve("%s-%05d-of-%05d.gguf".formatted(name, part + 1, parts));
            write(file, bytes(own, taken));
            files.add(file);
        }
        return files;
    }

    private static void write(Path file, byte[] bytes) {
        try {
            Files.write(file, bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    byte[] bytes() {
        return bytes(values, tensors);
    }

    private byte[] bytes(Map<String, Object> metadata, Map<String, Tensor> written) {
        var out = new ByteArrayOutputStream();
        out.writeBytes("GGUF".getBytes(StandardCharsets.UTF_8));
        number(out, version, 4);
        number(out, written.size(), 8);
        number(out, metadata.size(), 8);
        metadata.forEach((key, value) -> {
            text(out, key);
            switch (value) {
                case String word -> {
                    number(out, 8, 4);
                    text(out, word);
                }
                case Integer number -> {
                    number(out, 4, 4);
                    number(out, number, 4);
                }
                case Float number -> {
                    number(out, 6, 4);
                    number(out, Float.floatToRawIntBits(number), 4);
                }
                case Boolean flag -> {
                    number(out, 7, 4);
                    number(out, flag ? 1 : 0, 1);
                }
                case List<?> list -> {
                    number(out, 9, 4);
                    array(out, list);
                }
                default -> throw new IllegalArgumentException(key + " " + value);
            }
        });
        long offset = 0;
        for (var entry : written.entrySet()) {
            Tensor tensor = entry.getValue();
            text(out, entry.getKey());
            number(out, tensor.shape().length, 4);
            for (int i = tensor.shape().length - 1; i >= 0; i--) {
                number(out, tensor.shape()[i], 8);
            }
            number(out, TYPES.get(tensor.type()), 4);
            number(out, offset, 8);
            offset += Math.ceilDiv(tensor.bytes().length, ALIGNMENT) * (long) ALIGNMENT;
        }
        for (Tensor tensor : written.values()) {
            pad(out);
            out.writeBytes(tensor.bytes());
        }
        return out.toByteArray();
    }

    private static void array(ByteArrayOutputStream out, List<?> list) {
        boolean texts = list.getFirst() instanceof String;
        number(out, texts ? 8 : list.getFirst() instanceof Float ? 6 : 5, 4);
        number(out, list.size(), 8);
        for (Object element : list) {
            switch (element) {
                case String text -> text(out, text);
                case Float number -> number(out, Float.floatToRawIntBits(number), 4);
                case Integer number -> number(out, number, 4);
                default -> throw new IllegalArgumentException(String.valueOf(element));
            }
        }
    }

    private static void pad(ByteArrayOutputStream out) {
        while (out.size() % ALIGNMENT != 0) {
            out.write(0);
        }
    }

    private static void text(ByteArrayOutputStream out, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        number(out, bytes.length, 8);
        out.writeBytes(bytes);
    }

    private static void number(ByteArrayOutputStream out, long value, int bytes) {
        out.write(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array(), 0, bytes);
    }
}
