package org.maniple.serve.openai;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.maniple.api.ManipleException;
import org.maniple.api.config.Settings;
import org.maniple.api.engine.Engine;
import org.maniple.api.engine.Pooling;
import org.maniple.api.text.TextCodec;

/** {@code POST /v1/embeddings}, for a text or a chat. */
final class EmbeddingRoute {

    /** As many as OpenAI takes. */
    private static final int MOST = 2048;
    /** Where Sentence Transformers keep how a model's vectors are found. */
    private static final String POOLING_FILE = "1_Pooling/config.json";

    private final Engine engine;
    private final ModelRoutes models;
    private final ChatMessages messages;
    private final CompletionPrompts prompts;
    private final Optional<Pooling> pooling;
    private final List<Integer> dimensions;
    private final Runs runs;
    private final Workers workers;

    /**
     * The route.
     *
     * @throws ManipleException if the model's vectors are found in a way that is not known here
     */
    EmbeddingRoute(Engine engine, ModelRoutes models, ChatMessages messages, Settings settings, Json json, Runs runs,
            Workers workers) {
        this.engine = engine;
        this.models = models;
        this.messages = messages;
        this.prompts = new CompletionPrompts("input", MOST, engine.text(), engine.model().vocabulary());
        this.pooling = pooling(settings, Path.of(engine.model().path()), json);
        this.dimensions = settings.has(OpenAiOptions.MATRYOSHKA) ? settings.integers(OpenAiOptions.MATRYOSHKA) : List.of();
        this.runs = runs;
        this.workers = workers;
    }

    /** How vectors are found: as the configuration says, else as the model's files do, else at the last token, as with all decoders. */
    private static Optional<Pooling> pooling(Settings settings, Path model, Json json) {
        return switch (settings.optionalText(OpenAiOptions.POOLING).orElse("auto")) {
            case "none" -> Optional.empty();
            case "last" -> Optional.of(Pooling.LAST);
            case "mean" -> Optional.of(Pooling.MEAN);
            default -> Optional.of(ofFiles(model, json));
        };
    }

    private static Pooling ofFiles(Path model, Json json) {
        Path file = model.resolve(POOLING_FILE);
        if (!Files.isRegularFile(file)) {
            return Pooling.LAST;
        }
        try {
            Fields fields = new Fields(json.readObject(Files.readAllBytes(file)));
            if (fields.flag("pooling_mode_mean_tokens", false)) {
                return Pooling.MEAN;
            }
            if (fields.flag("pooling_mode_lasttoken", false)) {
                return Pooling.LAST;
            }
        } catch (IOException | ApiException unreadable) {
            throw new ManipleException(
                    "[" + file + "] cannot be read: " + unreadable.getMessage() + "; say --" + OpenAiOptions.POOLING
                            + " last or mean",
                    unreadable);
        }
        throw new ManipleException("[" + file + "] asks for neither the last token nor the mean; say --" + OpenAiOptions.POOLING
                + " last, mean, or none");
    }

    Route route() {
        return Route.post("/v1/embeddings", true, this::handle);
    }

    private void handle(Exchange exchange, Fields fields) {
        models.check(fields);
        Pooling how = pooling.orElseThrow(() -> ApiException.of(400,
                "The model does not support Embeddings API: this server was started with " + OpenAiOptions.POOLING + " none."));
        fields.text("user");
        Embedding shown = new Embedding(base64(fields), fields.flag("normalize", true), dimensions(fields));
        List<int[]> inputs = inputs(fields);
        Treatment treatment = Treatment.read(exchange, fields);
        TimeLimits limits = runs.limits(fields);
        String id = "embd-" + ReplyIds.base(exchange, fields);
        long created = System.currentTimeMillis() / 1000;
        new EmbeddingRun(id, exchange, engine, workers, inputs, how, treatment, limits,
                (json, vectors, cached) -> {
                    json.writeStartObject();
                    new ReplyHead(id, created, models.shownName()).write(json, "list");
                    json.writeArrayPropertyStart("data");
                    for (int i = 0; i < vectors.size(); i++) {
                        shown.write(json, i, shown.shown(vectors.get(i)));
                    }
                    json.writeEndArray();
                    long tokens = inputs.stream().mapToLong(each -> each.length).sum();
                    json.writeObjectPropertyStart("usage");
                    json.writeNumberProperty("prompt_tokens", tokens);
                    json.writeNumberProperty("total_tokens", tokens);
                    json.writeNumberProperty("completion_tokens", 0);
                    if (cached > 0) {
                        json.writeObjectPropertyStart("prompt_tokens_details");
                        json.writeNumberProperty("cached_tokens", cached);
                        json.writeEndObject();
                    } else {
                        json.writeNullProperty("prompt_tokens_details");
                    }
                    json.writeEndObject();
                    json.writeEndObject();
                }).start();
    }

    private static boolean base64(Fields fields) {
        String format = fields.text("encoding_format").orElse("float");
        if (!format.equals("float") && !format.equals("base64")) {
            throw fields.wrong("encoding_format", "\"float\" or \"base64\"", format);
        }
        return format.equals("base64");
    }

    /** Only of models that were trained for it the first numbers of a vector make a vector of their own. */
    private int dimensions(Fields fields) {
        OptionalInt asked = fields.integer("dimensions", 1, Integer.MAX_VALUE);
        if (asked.isPresent() && dimensions.isEmpty()) {
            throw ApiException.invalid("dimensions",
                    "Model \"" + models.shownName() + "\" does not support matryoshka representation,"
                            + " changing output dimensions will lead to poor results. If it does, start the server with --"
                            + OpenAiOptions.MATRYOSHKA + " and the numbers of dimensions that it was trained for.");
        }
        if (asked.isPresent() && !dimensions.contains(asked.getAsInt())) {
            throw fields.problem("dimensions", "must be one of " + dimensions + ", got [" + asked.getAsInt() + "]");
        }
        return asked.orElse(0);
    }

    private List<int[]> inputs(Fields fields) {
        List<int[]> given = new ArrayList<>();
        if (fields.has("messages")) {
            TextCodec codec = engine.text()
                    .orElseThrow(() -> fields.problem("messages", "need a tokenizer (skip-tokenizer-init)"));
            ChatPrompt chat = ChatPrompt.of(fields, codec, messages);
            given.add(codec.encode(chat.text(), chat.addSpecialTokens()));
        } else {
            prompts.read(fields).forEach(prompt -> given.add(prompt.tokens()));
        }
        int length = engine.model().maxModelLength();
        OptionalInt truncation = new ContextLimit(length, "input").truncation(fields);
        return given.stream().map(tokens -> fit(tokens, truncation, length)).toList();
    }

    private static int[] fit(int[] tokens, OptionalInt truncation, int length) {
        int[] kept = truncation.isPresent() && tokens.length > truncation.getAsInt()
                ? Arrays.copyOfRange(tokens, tokens.length - truncation.getAsInt(), tokens.length)
                : tokens;
        if (kept.length == 0) {
            throw ApiException.invalid("input", "The input has no tokens; send at least one.");
        }
        if (kept.length > length) {
            throw ApiException.invalid("input",
                    "This model's maximum context length is " + length + " tokens. However, you requested "
                            + kept.length
                            + " tokens in the input for embedding generation. Please reduce the length of the input.");
        }
        return kept;
    }
}
