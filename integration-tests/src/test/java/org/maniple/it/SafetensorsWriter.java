package org.maniple.it;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;

/** Writes safetensors files by the specification. */
final class SafetensorsWriter {

    private final Map<String, Object> header = new LinkedHashMap<>();
    private final ByteArrayOutputStream data = new ByteArrayOutputStream();

    void tensor(String name, String type, byte[] bytes, long... shape) {
        header.put(name, Map.of("dtype", type, "shape", Arrays.stream(shape).boxed().toList(), "data_offsets",
                List.of(data.size(), data.size() + bytes.length)));
        data.writeBytes(bytes);
    }

    void words(String name, int[] words, long... shape) {
        ByteBuffer bytes = buffer(4 * words.length);
        Arrays.stream(words).forEach(bytes::putInt);
        tensor(name, "I32", bytes.array(), shape);
    }

    void halves(String name, float[] values, long... shape) {
        ByteBuffer bytes = buffer(2 * values.length);
        for (float value : values) {
            bytes.putShort(Float.floatToFloat16(value));
        }
        tensor(name, "F16", bytes.array(), shape);
    }

    void bf16(String name, float[] values, long... shape) {
        ByteBuffer bytes = buffer(2 * values.length);
        for (float value : values) {
            bytes.putShort((short) (Float.floatToRawIntBits(value) >>> 16));
        }
        tensor(name, "BF16", bytes.array(), shape);
    }

    void floats(String name, float[] values, long... shape) {
        ByteBuffer bytes = buffer(4 * values.length);
        for (float value : values) {
            bytes.putFloat(value);
        }
        tensor(name, "F32", bytes.array(), shape);
    }

    void bytes(String name, int[] values, long... shape) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            bytes[i] = (byte) values[i];
        }
        tensor(name, "I8", bytes, shape);
    }

    private static ByteBuffer buffer(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    void write(Path file) {
        byte[] json = new JsonMapper().writeValueAsString(header).getBytes(StandardCharsets.UTF_8);
        try (var out = Files.newOutputStream(file)) {
            out.write(buffer(8).putLong(json.length).array());
            out.write(json);
            data.writeTo(out);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
