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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.maniple.api.tensor.BlockEncoder;
import org.maniple.api.tensor.DType;

/** Writes GGUF files, version 3, by the specification. */
final class GgufWriter {

    private static final int ALIGNMENT = 32;
    private static final Map<DType, Integer> TYPES = Map.of(DType.F32, 0, DType.Q4_0, 2, DType.Q8_0, 8);

    private record Tensor(long[] shape, DType type, byte[] bytes) {}

    private final Map<String, Object> values = new LinkedHashMap<>();
    private final Map<String, Tensor> tensors = new LinkedHashMap<>();

    /** A text, an int (as u32), a float, a truth value, or a list of texts, ints or floats. */
    GgufWriter value(String key, Object value) {
        values.put(key, value);
        return this;
    }

    /** Elements, with the outermost extent first. What has fewer than two dimensions, or rows that are no whole blocks, is written as floats. */
    void tensor(String name, float[] elements, DType type, long... shape) {
        boolean whole = shape.length > 1 && shape[shape.length - 1] % type.blockElements() == 0;
        tensors.put(name, new Tensor(shape, whole ? type : DType.F32, bytes(elements, whole ? type : DType.F32)));
    }

    private static byte[] bytes(float[] elements, DType type) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment floats = arena.allocateFrom(ValueLayout.JAVA_FLOAT, elements);
            if (type == DType.F32) {
                return floats.toArray(ValueLayout.JAVA_BYTE);
            }
            MemorySegment blocks = arena.allocate(type.bytes((long) elements.length));
            BlockEncoder.of(type).orElseThrow().encode(floats, 0, blocks, 0, elements.length);
            return blocks.toArray(ValueLayout.JAVA_BYTE);
        }
    }

    void write(Path file) {
        try {
            Files.write(file, bytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    byte[] bytes() {
        var out = new ByteArrayOutputStream();
        out.writeBytes("GGUF".getBytes(StandardCharsets.UTF_8));
        number(out, 3, 4);
        number(out, tensors.size(), 8);
        number(out, values.size(), 8);
        values.forEach((key, value) -> {
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
        for (var entry : tensors.entrySet()) {
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
        for (Tensor tensor : tensors.values()) {
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
