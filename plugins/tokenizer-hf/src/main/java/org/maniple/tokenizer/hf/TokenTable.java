package org.maniple.tokenizer.hf;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** All tokens: the model's and those added to it. */
final class TokenTable {
    private final Vocabulary model;
    private final Map<Integer, AddedToken> addedById;
    private final Map<String, AddedToken> addedByContent;
    private final int size;

    private TokenTable(Vocabulary model, Map<Integer, AddedToken> addedById, Map<String, AddedToken> addedByContent, int size) {
        this.model = model;
        this.addedById = addedById;
        this.addedByContent = addedByContent;
        this.size = size;
    }

    /** Joins the two and complains where they contradict each other. */
    static TokenTable of(Vocabulary model, List<AddedToken> added, String file) {
        var byId = new HashMap<Integer, AddedToken>();
        var byContent = new HashMap<String, AddedToken>();
        int size = model.size();
        for (int i = 0; i < added.size(); i++) {
            var token = added.get(i);
            var field = "added_tokens[" + i + "]";
            int inModel = model.id(token.content());
            var there = model.token(token.id());
            if (inModel >= 0 && inModel != token.id()) {
                throw new TokenizerFileException(file, field + ".id",
                        "is " + token.id() + ", but model.vocab gives \"" + token.content() + "\" the id " + inModel);
            }
            if (there != null && !there.equals(token.content())) {
                throw new TokenizerFileException(file, field + ".id",
                        "is " + token.id() + ", which model.vocab gives to \"" + there + "\"");
            }
            var twin = byContent.get(token.content());
            if (twin != null && twin.id() != token.id() || byId.containsKey(token.id()) && twin == null) {
                throw new TokenizerFileException(file, field, "the id or the content is used by another added token");
            }
            byId.put(token.id(), token);
            byContent.put(token.content(), token);
            size = Math.max(size, token.id() + 1);
        }
        return new TokenTable(model, byId, byContent, size);
    }

    /** The text of the token as the files have it, or null where no token has this id. */
    @Nullable
    String token(int id) {
        var added = addedById.get(id);
        return added == null ? model.token(id) : added.content();
    }

    OptionalInt find(String token) {
        var added = addedByContent.get(token);
        return added == null ? model.find(token) : OptionalInt.of(added.id());
    }

    boolean isSpecial(int id) {
        var added = addedById.get(id);
        return added != null && added.special();
    }

    /** One more than the largest id. */
    int size() {
        return size;
    }
}
