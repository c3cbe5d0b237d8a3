package org.maniple.bench.model;

import java.io.Console;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Writes a model with random weights and the shape of a published one. It needs nothing but Java:
 * {@code java bench/src/main/java/org/maniple/bench/model/GenerateModel.java qwen3-0.6b Q4_0 models}.
 */
public final class GenerateModel {

    private final PrintStream out;
    private final boolean terminal;

    private GenerateModel(PrintStream out, boolean terminal) {
        this.out = out;
        this.terminal = terminal;
    }

    /**
     * Writes models and ends with 0, or 1 if a file cannot be written, or 2 after wrong arguments.
     *
     * @param arguments as the help says
     */
    public static void main(String[] arguments) {
        System.exit(new GenerateModel(System.out, Optional.ofNullable(System.console()).filter(Console::isTerminal).isPresent())
                .run(arguments));
    }

    private int run(String[] arguments) {
        var left = new ArrayList<>(List.of(arguments));
        if (left.isEmpty() || left.contains("--help") || left.contains("-h")) {
            out.print(help());
            return left.isEmpty() ? 2 : 0;
        }
        try {
            boolean safetensors = left.remove("--safetensors");
            long seed = seed(left);
            if (left.size() != 3) {
                throw new IllegalArgumentException("three arguments are needed: SHAPE TYPE FOLDER; given: " + left);
            }
            Path folder = Path.of(left.get(2));
            List<ModelShape> shapes = shapes(left.get(0));
            List<Mixture> mixtures = mixtures(left.get(1));
            Files.createDirectories(folder);
            for (ModelShape shape : shapes) {
                for (Mixture mixture : mixtures) {
                    write(shape, mixture, folder, safetensors, seed);
                }
            }
            return 0;
        } catch (IllegalArgumentException e) {
            System.err.println("GenerateModel: " + e.getMessage());
            return 2;
        } catch (IOException e) {
            System.err.println("GenerateModel: cannot write: " + e);
            return 1;
        }
    }

    private static String help() {
        return """
                Writes a model of a published shape with random weights: as fast or slow as the real one, and as wise as dice.

                Usage: java bench/src/main/java/org/maniple/bench/model/GenerateModel.java SHAPE[,SHAPE…] TYPE[,TYPE…] FOLDER [--safetensors] [--seed N]

                  SHAPE  %s, or all
                  TYPE   %s
                  FOLDER where SHAPE-TYPE.gguf is written; with --safetensors a folder SHAPE-TYPE with config.json, tokenizer.json and model.safetensors

                A file that is there is left as it is.

                Examples:
                  java bench/src/main/java/org/maniple/bench/model/GenerateModel.java qwen3-0.6b Q4_0,Q8_0 models
                  java bench/src/main/java/org/maniple/bench/model/GenerateModel.java llama3.2-1b BF16 models --safetensors
                  java bench/src/main/java/org/maniple/bench/model/GenerateModel.java all BF16,Q8_0,Q4_0,Q4_1,Q4_K_M models
                """
                .formatted(ModelShape.ALL.stream().map(ModelShape::name).collect(Collectors.joining(", ")),
                        String.join(", ", Mixture.names()));
    }

    private static long seed(List<String> left) {
        int at = left.indexOf("--seed");
        if (at < 0) {
            return 1;
        }
        left.remove(at);
        if (at == left.size() || !left.get(at).matches("\\d{1,18}")) {
            throw new IllegalArgumentException("--seed needs a whole number");
        }
        return Long.parseLong(left.remove(at));
    }

    private static List<ModelShape> shapes(String names) {
        if (names.equals("all")) {
            return ModelShape.ALL;
        }
        return List.of(names.split(",")).stream()
                .map(name -> ModelShape.named(name)
                        .orElseThrow(() -> new IllegalArgumentException("shape [" + name + "] is not known; known: "
                                + ModelShape.ALL.stream().map(ModelShape::name).toList())))
                .toList();
    }

    private static List<Mixture> mixtures(String names) {
        return List.of(names.split(",")).stream().map(name -> {
            if (!Mixture.names().contains(name.toUpperCase(Locale.ROOT))) {
                throw new IllegalArgumentException("type [" + name + "] is not known; known: " + Mixture.names());
            }
            return Mixture.valueOf(name.toUpperCase(Locale.ROOT));
        }).toList();
    }

    private void write(ModelShape shape, Mixture mixture, Path folder, boolean safetensors, long seed) throws IOException {
        Path target = folder.resolve(shape.name() + "-" + mixture + (safetensors ? "" : ".gguf"));
        if (Files.exists(safetensors ? target.resolve("model.safetensors") : target)) {
            out.println(target + " is there");
            return;
        }
        var progress = new Progress(target);
        var writer = new ModelWriter(shape, seed, progress::add);
        progress.total = writer.bytes(mixture);
        if (safetensors) {
            writer.safetensors(target, mixture);
        } else {
            writer.gguf(target, mixture);
        }
        out.println((terminal ? "\r" : "") + target + " " + (progress.done >> 20) + " MiB");
    }

    private final class Progress {

        private final Path target;
        private long total;
        private long done;
        private long shown;

        Progress(Path target) {
            this.target = target;
        }

        void add(long bytes) {
            done += bytes;
            if (terminal && done - shown > 16 << 20) {
                shown = done;
                out.printf("\r%s %d of %d MiB", target, done >> 20, total >> 20);
            }
        }
    }
}
