package org.maniple.it;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What the reference implementation computed for a checkpoint. Reads the tensors by itself, not with the code under test. */
final class Expected {

    /** One prompt with its greedy continuation. */
    record Prompt(String name, int[] ids, int[] output, int logitRows) {}

    private final JsonNode json;
    private final JsonNode header;
    private final MemorySegment data;

    /** For a checkpoint's directory, or for a file with its own name before those of the expectations. */
    Expected(Path model) {
        String prefix = Files.isDirectory(model) ? "" : model.getFileName().toString().replaceFirst("gguf$", "");
        Path folder = Files.isDirectory(model) ? model : model.resolveSibling("");
        try {
            json = new JsonMapper().readTree(Files.readString(folder.resolve(prefix + "expected.json")));
            try (FileChannel channel = FileChannel.open(folder.resolve(prefix + "expected.safetensors"),
                    StandardOpenOption.READ)) {
                MemorySegment file = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), Arena.ofAuto());
                long length = file.asByteBuffer().order(ByteOrder.LITTLE_ENDIAN).getLong(0);
                byte[] text = file.asSlice(8, length).toArray(java.lang.foreign.ValueLayout.JAVA_BYTE);
                header = new JsonMapper().readTree(new String(text, StandardCharsets.UTF_8));
                data = file.asSlice(8 + length);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    List<Prompt> prompts() {
        var prompts = new ArrayList<Prompt>();
        json.get("prompts").properties()
                .forEach(entry -> prompts.add(new Prompt(entry.getKey(), ints(entry.getValue().get("ids")),
                        ints(entry.getValue().get("output_ids")), entry.getValue().get("logit_rows").asInt())));
        return prompts;
    }

    JsonNode json() {
        return json;
    }

    boolean has(String tensor) {
        return header.has(tensor);
    }

    /** A tensor as rows. */
    float[][] rows(String tensor) {
        JsonNode entry = header.get(tensor);
        int rows = entry.get("shape").get(0).asInt();
        int width = entry.get("shape").get(1).asInt();
        long start = entry.get("data_offsets").get(0).asLong();
        var result = new float[rows][width];
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < width; j++) {
                result[i][j] = data.get(JAVA_FLOAT_UNALIGNED, start + 4L * (i * (long) width + j));
            }
        }
        return result;
    }

    static int[] ints(JsonNode list) {
        int[] values = new int[list.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = list.get(i).asInt();
        }
        return values;
    }
}
