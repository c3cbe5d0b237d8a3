package org.maniple.tokenizer.hf;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** Tokens by id and ids by token. Filled while a file is read, unchanged afterwards. */
final class Vocabulary {
    private final Map<String, Integer> ids;
    private @Nullable String[] tokens;
    private int size;

    Vocabulary(int expected) {
        ids = HashMap.newHashMap(expected);
        tokens = new String[Math.max(16, expected)];
    }

    /** Adds a token; false where the token or the id is taken already (unless by each other). */
    boolean add(String token, int id) {
        if (id >= tokens.length) {
            tokens = Arrays.copyOf(tokens, Math.max(id + 1, tokens.length * 2));
        }
        var known = ids.get(token);
        if (known != null) {
            return known == id;
        }
        if (tokens[id] != null) {
            return false;
        }
        ids.put(token, id);
        tokens[id] = token;
        size = Math.max(size, id + 1);
        return true;
    }

    /** The id of {@code token} or -1. */
    int id(String token) {
        var id = ids.get(token);
        return id == null ? -1 : id;
    }

    OptionalInt find(String token) {
        var id = ids.get(token);
        return id == null ? OptionalInt.empty() : OptionalInt.of(id);
    }

    /** The token with this id, or null where the id is outside the vocabulary or in a hole of it. */
    @Nullable
    String token(int id) {
        return id < 0 || id >= size ? null : tokens[id];
    }

    /** One more than the largest id. */
    int size() {
        return size;
    }
}
