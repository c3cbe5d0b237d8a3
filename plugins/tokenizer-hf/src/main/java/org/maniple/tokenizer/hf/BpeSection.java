package org.maniple.tokenizer.hf;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.maniple.api.checkpoint.TokenizerParts;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * Reads the {@code model} of a tokenizer.json as a stream: vocabulary and merges have hundreds of thousands of entries, and a tree of them
 * would be many times the file.
 */
final class BpeSection {
    private static final int MOST_MERGES = 8_000_000;

    private final String file;
    private final JsonParser parser;
    private final ObjectNode options = JsonNodeFactory.instance.objectNode();
    private final List<String> lefts = new ArrayList<>();
    private final List<String> rights = new ArrayList<>();
    private @Nullable Vocabulary vocabulary;

    BpeSection(String file, JsonParser parser) {
        this.file = file;
        this.parser = parser;
    }

    /** Reads from the {@code {} that opens the model to the {@code }} that closes it. */
    void read() {
        expect(JsonToken.START_OBJECT, "model", "an object");
        while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
            var name = parser.currentName();
            parser.nextToken();
            switch (name) {
                case "vocab" -> readVocabulary();
                case "merges" -> readMerges();
                default -> options.set(name, BoundedFiles.part(parser));
            }
        }
    }

    /** Adds what is not in the file, which names the model but has neither tokens nor merges. */
    void add(TokenizerParts parts) {
        List<String> tokens = parts.tokens();
        if (tokens.size() > JsonField.largestId() + 1) {
            throw error("model.vocab",
                    "has " + tokens.size() + " tokens; at most " + (JsonField.largestId() + 1) + " are accepted");
        }
        var all = new Vocabulary(tokens.size());
        for (int id = 0; id < tokens.size(); id++) {
            if (!all.add(tokens.get(id), id)) {
                throw error("model.vocab[\"" + tokens.get(id) + "\"]", "the token or its id " + id + " is there twice");
            }
        }
        vocabulary = all;
        if (parts.merges().size() > MOST_MERGES) {
            throw error("model.merges", "has more than " + MOST_MERGES + " rules");
        }
        for (TokenizerParts.Merge merge : parts.merges()) {
            lefts.add(merge.left());
            rights.add(merge.right());
        }
    }

    private void readVocabulary() {
        var type = options.get("type");
        if (parser.currentToken() == JsonToken.START_ARRAY || type != null && !"BPE".equals(type.asString())) {
            throw unsupported(type == null ? "Unigram" : type.asString());
        }
        expect(JsonToken.START_OBJECT, "model.vocab", "an object of token to id");
        var all = new Vocabulary(1 << 15);
        while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
            var token = parser.currentName();
            parser.nextToken();
            if (parser.currentToken() != JsonToken.VALUE_NUMBER_INT) {
                throw error("model.vocab[\"" + token + "\"]", "expected an id");
            }
            long id = parser.getNumberType() == JsonParser.NumberType.INT ? parser.getIntValue() : -1;
            if (id < 0 || id > JsonField.largestId()) {
                throw error("model.vocab[\"" + token + "\"]",
                        "expected an id from 0 to " + JsonField.largestId() + ", found " + parser.getString());
            }
            if (!all.add(token, (int) id)) {
                throw error("model.vocab[\"" + token + "\"]", "the token or its id " + id + " is there twice");
            }
        }
        vocabulary = all;
    }

    private void readMerges() {
        expect(JsonToken.START_ARRAY, "model.merges", "an array");
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            if (lefts.size() >= MOST_MERGES) {
                throw error("model.merges", "has more than " + MOST_MERGES + " rules");
            }
            if (parser.currentToken() == JsonToken.VALUE_STRING) {
                readMergeLine(parser.getString());
            } else {
                readMergePair();
            }
        }
    }

    private void readMergePair() {
        expectInMerge(JsonToken.START_ARRAY);
        var left = nextString();
        var right = nextString();
        parser.nextToken();
        expectInMerge(JsonToken.END_ARRAY);
        lefts.add(left);
        rights.add(right);
    }

    private void readMergeLine(String line) {
        int space = line.indexOf(' ');
        if (space < 0 || line.indexOf(' ', space + 1) >= 0) {
            throw error(merge(), "expected two tokens with one space between them, found \"" + line + "\"");
        }
        lefts.add(line.substring(0, space));
        rights.add(line.substring(space + 1));
    }

    private String nextString() {
        parser.nextToken();
        expectInMerge(JsonToken.VALUE_STRING);
        return parser.getString();
    }

    /** The name of the place is made for a message alone: there are hundreds of thousands of places. */
    private void expectInMerge(JsonToken token) {
        if (parser.currentToken() != token) {
            throw error(merge(), "expected a pair of tokens");
        }
    }

    private String merge() {
        return "model.merges[" + lefts.size() + "]";
    }

    Vocabulary vocabulary() {
        var type = new JsonField(file, "model", options).optional("type");
        if (type.isPresent() && !type.get().string().equals("BPE")) {
            throw unsupported(type.get().string());
        }
        if (vocabulary == null) {
            throw error("model.vocab", "is missing");
        }
        return vocabulary;
    }

    private TokenizerFileException unsupported(String type) {
        return error("model.type", "a " + type + " model is not supported; supported is BPE");
    }

    BpeModel model() {
        var words = vocabulary();
        var root = new JsonField(file, "model", options);
        var dropout = root.optional("dropout");
        if (dropout.isPresent() && dropout.get().node().asDouble(1) != 0) {
            throw dropout.get().error("dropout makes encoding random; it belongs in training only");
        }
        var prefix = root.string("continuing_subword_prefix", "");
        var unknown = root.optional("unk_token").map(field -> {
            int id = words.id(field.string());
            if (id < 0) {
                throw field.error("\"" + field.string() + "\" is not in model.vocab");
            }
            return id;
        });
        return new BpeModel(words, rules(words, prefix), new BpeModel.Options(unknown, root.bool("fuse_unk", false),
                root.bool("byte_fallback", false), root.bool("ignore_merges", false), prefix,
                root.string("end_of_word_suffix", "")));
    }

    private PairRanks rules(Vocabulary words, String prefix) {
        var rules = new PairRanks(lefts.size());
        int last = -1;
        for (int rank = 0; rank < lefts.size(); rank++) {
            var left = lefts.get(rank);
            var right = rights.get(rank);
            var tail = right.startsWith(prefix) ? right.substring(prefix.length()) : right;
            // Vocabularies list what rules make in the order of the rules, mostly.
            int result = joins(words.token(last + 1), left, tail) ? last + 1 : words.id(left.concat(tail));
            last = result;
            int leftId = words.id(left);
            int rightId = words.id(right);
            if (leftId < 0 || rightId < 0 || result < 0) {
                var absent = leftId < 0 ? left : rightId < 0 ? right : left.concat(tail);
                throw error("model.merges[" + rank + "]", "\"" + absent + "\" is not in model.vocab");
            }
            if (result == leftId || result == rightId) {
                throw error("model.merges[" + rank + "]", "makes a token of itself");
            }
            rules.put(leftId, rightId, rank, result);
        }
        return rules;
    }

    private static boolean joins(@Nullable String token, String left, String tail) {
        return token != null && token.length() == left.length() + tail.length() && token.startsWith(left) && token.endsWith(tail);
    }

    private void expect(JsonToken token, String field, String what) {
        if (parser.currentToken() != token) {
            throw error(field, "expected " + what);
        }
    }

    private TokenizerFileException error(String field, String problem) {
        return new TokenizerFileException(file, field, problem);
    }
}
