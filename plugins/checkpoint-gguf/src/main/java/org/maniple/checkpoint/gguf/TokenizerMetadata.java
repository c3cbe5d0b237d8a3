package org.maniple.checkpoint.gguf;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.IntPredicate;
import org.maniple.api.checkpoint.CheckpointException;

/** What the metadata says about tokens. Reads arrays from the file whenever it is asked. */
final class TokenizerMetadata {

    static final String MODEL = "tokenizer.ggml.model";
    private static final String PREFIX = "tokenizer.ggml.";

    /** Texts of tokens that end an output, where a file names only one of them. */
    private static final Set<String> ENDS = Set.of("<|eot_id|>", "<|eom_id|>", "<|im_end|>", "<end_of_turn>", "<|end|>",
            "<|endoftext|>", "<|end_of_text|>", "<|return|>", "<|call|>", "<EOT>", "< EOT >", "_<EOT>");

    /** The kinds of tokens, as they are numbered. */
    enum Kind {
        NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE;

        private static final List<Kind> ALL = List.of(values());

        static Kind of(double number) {
            int index = (int) number - 1;
            return index < 0 || index >= ALL.size() ? NORMAL : ALL.get(index);
        }
    }

    private final Metadata metadata;

    TokenizerMetadata(Metadata metadata) {
        this.metadata = metadata;
    }

    Metadata metadata() {
        return metadata;
    }

    String model() {
        return metadata.requiredText(MODEL);
    }

    Optional<String> text(String key) {
        return metadata.text(PREFIX + key);
    }

    boolean flag(String key, boolean fallback) {
        return metadata.flag(PREFIX + key).orElse(fallback);
    }

    CheckpointException wrong(String key, String expected) {
        return metadata.wrong(PREFIX + key, expected);
    }

    List<String> tokens() {
        return metadata.texts(PREFIX + "tokens");
    }

    /** How many tokens there are. */
    int size() {
        return metadata.count(PREFIX + "tokens");
    }

    /** The texts of some tokens, by id. */
    Map<Integer, String> tokens(IntPredicate wanted) {
        return metadata.texts(PREFIX + "tokens", wanted);
    }

    List<String> merges() {
        return metadata.texts(PREFIX + "merges");
    }

    List<Double> scores(int tokens) {
        return sized("scores", metadata.numbers(PREFIX + "scores"), tokens);
    }

    List<Kind> kinds(int tokens) {
        if (!metadata.has(PREFIX + "token_type")) {
            return Collections.nCopies(tokens, Kind.NORMAL);
        }
        return sized("token_type", metadata.numbers(PREFIX + "token_type"), tokens).stream().map(Kind::of).toList();
    }

    private List<Double> sized(String key, List<Double> values, int tokens) {
        if (values.size() != tokens) {
            throw wrong(key, "as many as tokens [" + tokens + "]");
        }
        return values;
    }

    /** The id of a special token, such as {@code bos}. */
    Optional<Integer> id(String word, int tokens) {
        Optional<Integer> id = metadata.integer(PREFIX + word + "_token_id");
        id.filter(known -> known >= tokens).ifPresent(known -> {
            throw wrong(word + "_token_id", "the number of one of the " + tokens + " tokens");
        });
        return id;
    }

    /** Tokens that end an output. */
    Set<Integer> ends() {
        int size = size();
        List<Kind> kinds = kinds(size);
        var ends = new TreeSet<Integer>();
        for (String word : List.of("eos", "eot", "eom")) {
            id(word, size).ifPresent(ends::add);
        }
        tokens(id -> kinds.get(id) == Kind.CONTROL).forEach((id, text) -> {
            if (ENDS.contains(text)) {
                ends.add(id);
            }
        });
        return ends;
    }
}
