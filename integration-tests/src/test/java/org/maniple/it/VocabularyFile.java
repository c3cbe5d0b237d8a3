package org.maniple.it;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import org.maniple.api.tensor.DType;
import tools.jackson.databind.JsonNode;

/** Puts the vocabulary of a tokenizer.json into a GGUF file, as llama.cpp's converters do. The model in it is only there to be a model. */
final class VocabularyFile {

    private static final int NORMAL = 1;
    private static final int UNKNOWN = 2;
    private static final int CONTROL = 3;
    private static final int USER_DEFINED = 4;
    private static final int BYTE = 6;

    private final List<String> tokens;
    private final List<Integer> kinds;

    private VocabularyFile(JsonNode tokenizer) {
        int size = tokenizer.get("model").get("vocab").size();
        for (JsonNode added : tokenizer.get("added_tokens")) {
            size = Math.max(size, added.get("id").asInt() + 1);
        }
        this.tokens = new ArrayList<>(Collections.nCopies(size, ""));
        this.kinds = new ArrayList<>(Collections.nCopies(size, NORMAL));
        tokenizer.get("model").get("vocab").properties()
                .forEach(token -> tokens.set(token.getValue().asInt(), token.getKey()));
        for (JsonNode added : tokenizer.get("added_tokens")) {
            int id = added.get("id").asInt();
            tokens.set(id, added.get("content").asString());
            kinds.set(id, added.get("special").asBoolean() ? CONTROL : USER_DEFINED);
        }
        for (int id = 0; id < size; id++) {
            if (tokens.get(id).isEmpty()) {
                tokens.set(id, "[PAD" + id + "]");
                kinds.set(id, 5);
            }
        }
    }

    /** One whose merges are written out. */
    static GgufWriter bytePairs(JsonNode tokenizer, String pre) {
        var file = new VocabularyFile(tokenizer);
        List<String> merges = new ArrayList<>();
        tokenizer.get("model").get("merges").forEach(merge -> merges
                .add(merge.isString() ? merge.asString() : merge.get(0).asString() + " " + merge.get(1).asString()));
        GgufWriter writer = file.writer("gpt2").value("tokenizer.ggml.pre", pre).value("tokenizer.ggml.merges", merges);
        file.id("bos", "<|begin_of_text|>", writer);
        return writer;
    }

    /** One whose merges follow from scores: what was merged earlier has the higher one. */
    static GgufWriter sentencePieces(JsonNode tokenizer, boolean prefix) {
        var file = new VocabularyFile(tokenizer);
        var ranks = new HashMap<String, Integer>();
        for (JsonNode merge : tokenizer.get("model").get("merges")) {
            String[] parts = merge.isString()
                    ? merge.asString().split(" ", -1)
                    : new String[] {merge.get(0).asString(), merge.get(1).asString()};
            ranks.putIfAbsent(parts[0] + parts[1], ranks.size());
        }
        var scores = new ArrayList<Float>();
        for (int id = 0; id < file.tokens.size(); id++) {
            String token = file.tokens.get(id);
            scores.add(-(float) ranks.getOrDefault(token, ranks.size()));
            if (token.matches("<0x[0-9A-F]{2}>")) {
                file.kinds.set(id, BYTE);
            }
            if (token.equals("<unk>")) {
                file.kinds.set(id, UNKNOWN);
            }
        }
        GgufWriter writer = file.writer("llama").value("tokenizer.ggml.scores", scores)
                .value("tokenizer.ggml.add_space_prefix", prefix);
        file.id("unknown", "<unk>", writer);
        file.id("bos", "<s>", writer);
        file.id("bos", "<bos>", writer);
        return writer.value("tokenizer.ggml.add_bos_token", true);
    }

    private void id(String word, String token, GgufWriter writer) {
        if (tokens.contains(token)) {
            writer.value("tokenizer.ggml." + word + "_token_id", tokens.indexOf(token));
        }
    }

    private GgufWriter writer(String model) {
        var writer = new GgufWriter().value("general.architecture", "llama").value("llama.block_count", 1)
                .value("llama.context_length", 64).value("llama.embedding_length", 2).value("llama.feed_forward_length", 2)
                .value("llama.attention.head_count", 1).value("llama.attention.layer_norm_rms_epsilon", 1e-5f)
                .value("tokenizer.ggml.model", model).value("tokenizer.ggml.tokens", tokens)
                .value("tokenizer.ggml.token_type", kinds);
        writer.tensor("token_embd.weight", new float[2 * tokens.size()], DType.F32, tokens.size(), 2);
        return writer;
    }
}
