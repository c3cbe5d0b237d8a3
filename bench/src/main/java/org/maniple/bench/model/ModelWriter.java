package org.maniple.bench.model;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongConsumer;

/** Writes one model as a GGUF file or as a folder with safetensors. */
final class ModelWriter {

    private static final int PART = 1 << 20;
    private static final int ALIGNMENT = 8;

    private final ModelShape shape;
    private final RandomWeights random;
    private final LongConsumer progress;
    private final ByteBuffer part;

    /** Progress is told as bytes written. */
    ModelWriter(ModelShape shape, long seed, LongConsumer progress) {
        this.shape = shape;
        this.random = new RandomWeights(seed);
        this.progress = progress;
        this.part = ByteBuffer.allocateDirect(PART).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** The size of all tensors. */
    long bytes(Mixture mixture) {
        return Weight.of(shape).stream().mapToLong(weight -> mixture.of(weight, shape.layers()).bytes(weight.elements())).sum();
    }

    void gguf(Path file, Mixture mixture) throws IOException {
        var gguf = new GgufFile(shape, mixture, SyntheticVocabulary.of(shape.vocabulary()));
        List<Weight> weights = Weight.of(shape);
        var offsets = new ArrayList<Long>();
        for (Weight weight : weights) {
            offsets.add(gguf.add(weight, mixture.of(weight, shape.layers())));
        }
        replacing(file, channel -> {
            byte[] header = gguf.header();
            write(channel, ByteBuffer.wrap(header));
            for (int i = 0; i < weights.size(); i++) {
                channel.position(header.length + offsets.get(i));
                data(channel, weights.get(i), mixture.of(weights.get(i), shape.layers()), 0, weights.get(i).elements());
            }
            // llama.cpp reads the padding of the last tensor, too.
            long end = (channel.position() + GgufFile.ALIGNMENT - 1) / GgufFile.ALIGNMENT * GgufFile.ALIGNMENT;
            write(channel, ByteBuffer.allocate((int) (end - channel.position())));
        });
    }

    void safetensors(Path folder, Mixture mixture) throws IOException {
        Files.createDirectories(folder);
        String dtype = switch (mixture) {
            case F32 -> "float32";
            case F16 -> "float16";
            case BF16 -> "bfloat16";
            default -> throw new IllegalArgumentException(
                    "safetensors files hold F32, F16 or BF16; for " + mixture + " write a GGUF file");
        };
        new PublishedFiles(shape, SyntheticVocabulary.of(shape.vocabulary())).write(folder, dtype);
        // Published checkpoints hold all tensors in one type; the rotary frequencies follow from config.json.
        List<Weight> weights = Weight.of(shape).stream().filter(weight -> weight.role() != Weight.Role.ROPE).toList();
        byte[] header = header(weights, mixture.most());
        replacing(folder.resolve("model.safetensors"), channel -> {
            write(channel, ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(0, header.length));
            write(channel, ByteBuffer.wrap(header));
            for (Weight weight : weights) {
                data(channel, weight, mixture.most(), 0, weight.elements());
            }
        });
    }

    private static byte[] header(List<Weight> weights, StoredType type) {
        var header = new LinkedHashMap<String, Object>();
        header.put("__metadata__", Map.of("format", "pt"));
        long at = 0;
        for (Weight weight : weights) {
            long bytes = type.bytes((long) weight.rows() * weight.columns());
            for (int expert = 0; expert < weight.experts(); expert++) {
                header.put(weight.published().replace("{}", Integer.toString(expert)), Map.of("dtype", type.name(), "shape",
                        weight.role() == Weight.Role.NORM ? List.of(weight.columns()) : List.of(weight.rows(), weight.columns()),
                        "data_offsets", List.of(at, at + bytes)));
                at += bytes;
            }
        }
        String text = Json.of(header);
        int bytes = text.getBytes(StandardCharsets.UTF_8).length;
        return (text + " ".repeat((ALIGNMENT - bytes % ALIGNMENT) % ALIGNMENT)).getBytes(StandardCharsets.UTF_8);
    }

    private void data(FileChannel channel, Weight weight, StoredType type, long from, long elements) throws IOException {
        long left = type.bytes(elements);
        int most = PART / type.blockBytes() * type.blockBytes();
        for (long number = from; left > 0; number++) {
            part.clear().limit((int) Math.min(left, most));
            random.fill(part, type, weight, number);
            left -= part.flip().remaining();
            write(channel, part);
        }
    }

    private void write(FileChannel channel, ByteBuffer bytes) throws IOException {
        progress.accept(bytes.remaining());
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    /** A file that is there has been written completely. */
    private static void replacing(Path file, Content content) throws IOException {
        Path partial = file.resolveSibling(file.getFileName() + ".partial");
        try (var channel = FileChannel.open(partial, StandardOpenOption.CREATE, StandardOpenOption.WRITE,
                StandardOpenOption.TRUNCATE_EXISTING)) {
            content.write(channel);
        }
        Files.move(partial, file, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    }

    private interface Content {
        void write(FileChannel channel) throws IOException;
    }
}
