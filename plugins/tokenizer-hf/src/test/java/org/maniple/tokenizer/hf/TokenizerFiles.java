package org.maniple.tokenizer.hf;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Writes small tokenizer.json files for tests. */
final class TokenizerFiles {
    private final List<String> vocabulary = new ArrayList<>();
    private final List<String> merges = new ArrayList<>();
    private final List<String> sections = new ArrayList<>();
    private String options = "";

    /** The tokens, with ids from 0. */
    TokenizerFiles tokens(String... tokens) {
        vocabulary.addAll(List.of(tokens));
        return this;
    }

    /** Merges, each as two tokens with a space between. */
    TokenizerFiles merges(String... rules) {
        merges.addAll(List.of(rules));
        return this;
    }

    /** A section beside the model, as JSON. */
    TokenizerFiles section(String name, String json) {
        sections.add("\"" + name + "\": " + json);
        return this;
    }

    /** More members of the model, as JSON. */
    TokenizerFiles options(String json) {
        options = ", " + json;
        return this;
    }

    String json() {
        var words = new StringBuilder();
        for (int id = 0; id < vocabulary.size(); id++) {
            words.append(id == 0 ? "" : ", ").append(quoted(vocabulary.get(id))).append(": ").append(id);
        }
        var rules = String.join(", ", merges.stream().map(TokenizerFiles::quoted).toList());
        return "{" + String.join("", sections.stream().map(section -> section + ", ").toList())
                + "\"model\": {\"type\": \"BPE\", \"vocab\": {" + words + "}, \"merges\": [" + rules + "]" + options + "}}";
    }

    private static String quoted(String text) {
        return "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n") + "\"";
    }

    HfTextCodec codec() {
        return codec(json());
    }

    static HfTextCodec codec(String json) {
        return new HfTextCodec(TokenizerJson.read("tokenizer.json", json.getBytes(StandardCharsets.UTF_8)),
                SpecialTokenPolicy.none(),
                ChatTemplates.none());
    }
}
