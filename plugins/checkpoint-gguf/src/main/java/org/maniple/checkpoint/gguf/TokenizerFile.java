package org.maniple.checkpoint.gguf;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.maniple.api.checkpoint.CheckpointException;
import org.maniple.api.checkpoint.TokenizerParts;
import org.maniple.api.checkpoint.TokenizerParts.Merge;
import org.maniple.checkpoint.gguf.PreTokenizers.PreTokenizer;
import org.maniple.checkpoint.gguf.TokenizerMetadata.Kind;

/**
 * Writes a tokenizer.json from the metadata. Of a byte-pair tokenizer ({@code gpt2}) the merges are there; of a SentencePiece one ({@code llama})
 * they follow from the scores: what has the higher score is merged first.
 */
final class TokenizerFile {

    private static final String SPACE = "▁";

    private final TokenizerMetadata tokenizer;
    private final List<String> tokens;
    private final List<Kind> kinds;

    TokenizerFile(TokenizerMetadata tokenizer) {
        this.tokenizer = tokenizer;
        this.tokens = tokenizer.tokens();
        this.kinds = tokenizer.kinds(tokens.size());
    }

    /** The file. */
    byte[] json() {
        Content content = content();
        return json(content, true);
    }

    /** The same in parts. */
    TokenizerParts parts() {
        Content content = content();
        return new TokenizerParts(new String(json(content, false), StandardCharsets.UTF_8), tokens, content.merges());
    }

    /**
     * What differs between the kinds of tokenizers.
     *
     * @param bytes whether characters that are no tokens are written as their bytes
     */
    private record Content(Optional<Object> normalizer, Optional<Object> preTokenizer, Optional<Object> postProcessor,
            Optional<Object> decoder, Optional<String> unknown, boolean wholeWords, boolean bytes, List<Merge> merges) {}

    private Content content() {
        return switch (tokenizer.model()) {
            case "gpt2" -> bytePairs(PreTokenizers.of(tokenizer));
            case "llama" -> sentencePieces();
            default -> throw tokenizer.wrong("model", "one of [gpt2, llama]");
        };
    }

    private byte[] json(Content content, boolean whole) {
        return JsonOutput.of(json -> {
            json.beginObject();
            begin(json);
            property(json, "normalizer", content.normalizer());
            property(json, "pre_tokenizer", content.preTokenizer());
            property(json, "post_processor", content.postProcessor());
            property(json, "decoder", content.decoder());
            json.name("model");
            json.beginObject();
            model(json, content);
            json.name("vocab");
            json.beginObject();
            if (whole) {
                vocabulary(json);
            }
            json.endObject();
            json.name("merges");
            json.beginArray();
            if (whole) {
                content.merges().forEach(merge -> merge(json, merge));
            }
            json.endArray();
            json.endObject();
            json.endObject();
        });
    }

    private Content bytePairs(PreTokenizer words) {
        return new Content(words.composed() ? Optional.of(Map.of("type", "NFC")) : Optional.empty(), Optional.of(words.json()),
                around(words.beginning()),
                Optional.of(Map.of("type", "ByteLevel", "add_prefix_space", true, "trim_offsets", true, "use_regex", true)),
                Optional.empty(), words.wholeWords(), false, storedMerges());
    }

    private List<Merge> storedMerges() {
        List<String> stored = tokenizer.merges();
        var merges = new ArrayList<Merge>(stored.size());
        for (String merge : stored) {
            int space = merge.indexOf(' ', 1);
            if (space < 0) {
                throw tokenizer.wrong("merges", "pairs of tokens with a space between them, not [" + Shown.name(merge) + "]");
            }
            merges.add(new Merge(merge.substring(0, space), merge.substring(space + 1)));
        }
        return merges;
    }

    private Content sentencePieces() {
        boolean prefix = tokenizer.flag("add_space_prefix", true);
        Optional<String> unknown = tokenizer.id("unknown", tokens.size()).map(tokens::get);
        var spaces = Map.of("type", "Replace", "pattern", Map.of("String", " "), "content", SPACE);
        var steps = new ArrayList<Map<String, Object>>();
        if (prefix) {
            steps.add(Map.of("type", "Prepend", "prepend", SPACE));
        }
        steps.add(spaces);
        var decoders = new ArrayList<Map<String, Object>>(List.of(
                Map.of("type", "Replace", "pattern", Map.of("String", SPACE), "content", " "), Map.of("type", "ByteFallback"),
                Map.of("type", "Fuse")));
        if (prefix) {
            decoders.add(Map.of("type", "Strip", "content", " ", "start", 1, "stop", 0));
        }
        return new Content(Optional.of(Map.of("type", "Sequence", "normalizers", steps)), Optional.empty(), around(true),
                Optional.of(Map.of("type", "Sequence", "decoders", decoders)), unknown, false, kinds.contains(Kind.BYTE),
                scoredMerges());
    }

    private record Scored(Merge merge, double score) {

        int leftLength() {
            return merge.left().length();
        }

        int rightLength() {
            return merge.right().length();
        }
    }

    /** Every way in which a token is two others, those of higher scores first. */
    private List<Merge> scoredMerges() {
        List<Double> scores = tokenizer.scores(tokens.size());
        var ids = new HashMap<String, Integer>();
        for (int i = 0; i < tokens.size(); i++) {
            ids.putIfAbsent(tokens.get(i), i);
        }
        var merges = new ArrayList<Scored>();
        for (int i = 0; i < tokens.size(); i++) {
            if (Set.of(Kind.NORMAL, Kind.USER_DEFINED).contains(kinds.get(i))) {
                String token = tokens.get(i);
                var own = new ArrayList<Merge>();
                for (int cut = 1; cut < token.length(); cut++) {
                    if (ids.containsKey(token.substring(0, cut)) && ids.containsKey(token.substring(cut))) {
                        own.add(new Merge(token.substring(0, cut), token.substring(cut)));
                    }
                }
                own.sort(Comparator.comparing((Merge merge) -> ids.get(merge.left()))
                        .thenComparing(merge -> ids.get(merge.right())));
                for (Merge merge : own) {
                    merges.add(new Scored(merge, scores.get(i)));
                }
            }
        }
        // As published tokenizers were converted: of equal scores, the longer first part, then the longer second one.
        merges.sort(Comparator.comparingDouble(Scored::score).thenComparingInt(Scored::leftLength)
                .thenComparingInt(Scored::rightLength).reversed());
        return merges.stream().map(Scored::merge).toList();
    }

    private void begin(JsonOutput json) {
        property(json, "version", Optional.of("1.0"));
        property(json, "truncation", Optional.empty());
        property(json, "padding", Optional.empty());
        json.name("added_tokens");
        json.beginArray();
        for (int i = 0; i < tokens.size(); i++) {
            boolean special = kinds.get(i) == Kind.CONTROL || kinds.get(i) == Kind.UNKNOWN;
            // Runs of spaces are found by merging, as all else that the normalizer changes.
            boolean added = kinds.get(i) == Kind.USER_DEFINED && !tokens.get(i).contains(SPACE);
            if ((special || added) && !tokens.get(i).isEmpty()) {
                var token = new LinkedHashMap<String, Object>();
                token.put("id", i);
                token.put("content", tokens.get(i));
                for (String flag : List.of("single_word", "lstrip", "rstrip", "normalized")) {
                    token.put(flag, false);
                }
                token.put("special", special);
                json.value(token);
            }
        }
        json.endArray();
    }

    /** What a text gets before and behind it. */
    private Optional<Object> around(boolean beginning) {
        Optional<Integer> before = tokenizer.flag("add_bos_token", beginning)
                ? tokenizer.id("bos", tokens.size())
                : Optional.empty();
        Optional<Integer> behind = tokenizer.flag("add_eos_token", false) ? tokenizer.id("eos", tokens.size()) : Optional.empty();
        if (before.isEmpty() && behind.isEmpty()) {
            return Optional.empty();
        }
        var special = new LinkedHashMap<String, Object>();
        var single = new ArrayList<Object>();
        var pair = new ArrayList<Object>();
        for (String sequence : List.of("A", "B")) {
            var part = new ArrayList<Object>();
            int type = sequence.equals("A") ? 0 : 1;
            before.ifPresent(id -> part.add(special(id, type, special)));
            part.add(Map.of("Sequence", Map.of("id", sequence, "type_id", type)));
            behind.ifPresent(id -> part.add(special(id, type, special)));
            pair.addAll(part);
            if (type == 0) {
                single.addAll(part);
            }
        }
        return Optional.of(Map.of("type", "TemplateProcessing", "single", single, "pair", pair, "special_tokens", special));
    }

    private Object special(int id, int type, Map<String, Object> all) {
        String token = tokens.get(id);
        all.put(token, Map.of("id", token, "ids", List.of(id), "tokens", List.of(token)));
        return Map.of("SpecialToken", Map.of("id", token, "type_id", type));
    }

    private static void model(JsonOutput json, Content content) {
        property(json, "type", Optional.of("BPE"));
        property(json, "dropout", Optional.empty());
        property(json, "unk_token", content.unknown());
        property(json, "continuing_subword_prefix", Optional.empty());
        property(json, "end_of_word_suffix", Optional.empty());
        property(json, "fuse_unk", Optional.of(content.unknown().isPresent()));
        property(json, "byte_fallback", Optional.of(content.bytes()));
        property(json, "ignore_merges", Optional.of(content.wholeWords()));
    }

    private void vocabulary(JsonOutput json) {
        var seen = new HashMap<String, Integer>();
        for (int i = 0; i < tokens.size(); i++) {
            Integer before = seen.putIfAbsent(tokens.get(i), i);
            if (before != null) {
                throw new CheckpointException(tokenizer.metadata().file() + ": tokens " + before + " and " + i + " are both ["
                        + Shown.name(tokens.get(i)) + "]");
            }
            json.name(tokens.get(i));
            json.value(i);
        }
    }

    /** One text where it can only be read in one way. */
    private static void merge(JsonOutput json, Merge merge) {
        if (merge.left().indexOf(' ') < 0 && merge.right().indexOf(' ') < 0) {
            json.value(merge.left() + " " + merge.right());
            return;
        }
        json.beginArray();
        json.value(merge.left());
        json.value(merge.right());
        json.endArray();
    }

    private static void property(JsonOutput json, String name, Optional<?> value) {
        json.name(name);
        json.value(value.orElse(null));
    }
}
