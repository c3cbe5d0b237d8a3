package org.maniple.tokenizer.hf;

import java.util.Arrays;

/** What is put before and after the ids of a text when special tokens are wanted. */
record PostProcessor(int[] before, int[] after) {
    private static final int[] NOTHING = {};
    private static final int DEEPEST = 16;

    static PostProcessor none() {
        return new PostProcessor(NOTHING, NOTHING);
    }

    int[] apply(int[] ids) {
        return concat(concat(before, ids), after);
    }

    static PostProcessor read(JsonField field, TokenTable vocabulary) {
        return read(field, vocabulary, 0);
    }

    private static PostProcessor read(JsonField field, TokenTable vocabulary, int depth) {
        var type = field.required("type");
        return switch (type.string()) {
            case "ByteLevel" -> none();
            case "TemplateProcessing" -> template(field, vocabulary);
            case "BertProcessing", "RobertaProcessing" -> new PostProcessor(new int[] {pairId(field.required("cls"), vocabulary)},
                    new int[] {pairId(field.required("sep"), vocabulary)});
            case "Sequence" -> sequence(field, vocabulary, depth);
            default ->
                throw type.error("post-processor not supported; supported are ByteLevel, TemplateProcessing, BertProcessing, "
                        + "RobertaProcessing, Sequence");
        };
    }

    private static PostProcessor sequence(JsonField field, TokenTable vocabulary, int depth) {
        if (depth >= DEEPEST) {
            throw field.error("sequences nested more than " + DEEPEST + " deep");
        }
        var all = none();
        for (var element : field.required("processors").elements()) {
            var next = read(element, vocabulary, depth + 1);
            all = new PostProcessor(concat(next.before, all.before), concat(all.after, next.after));
        }
        return all;
    }

    private static PostProcessor template(JsonField field, TokenTable vocabulary) {
        var before = new TokenIds();
        var after = new TokenIds();
        boolean textSeen = false;
        for (var piece : field.required("single").elements()) {
            var special = piece.optional("SpecialToken");
            if (special.isPresent()) {
                (textSeen ? after : before).addAll(specialIds(field, special.get().required("id"), vocabulary));
                continue;
            }
            var id = piece.required("Sequence").required("id");
            if (textSeen || !id.string().equals("A")) {
                throw id.error("expected the sequence A exactly once");
            }
            textSeen = true;
        }
        if (!textSeen) {
            throw field.required("single").error("expected the sequence A exactly once");
        }
        return new PostProcessor(before.toArray(), after.toArray());
    }

    private static int[] specialIds(JsonField template, JsonField name, TokenTable vocabulary) {
        var ids = template.required("special_tokens").required(name.string()).required("ids");
        return ids.elements().stream().mapToInt(id -> known(id, vocabulary)).toArray();
    }

    private static int pairId(JsonField pair, TokenTable vocabulary) {
        var elements = pair.elements();
        if (elements.size() != 2) {
            throw pair.error("expected [token, id]");
        }
        return known(elements.get(1), vocabulary);
    }

    private static int known(JsonField field, TokenTable vocabulary) {
        int id = field.tokenId();
        if (vocabulary.token(id) == null) {
            throw field.error("no token has the id " + id);
        }
        return id;
    }

    private static int[] concat(int[] left, int[] right) {
        var all = Arrays.copyOf(left, left.length + right.length);
        System.arraycopy(right, 0, all, left.length, right.length);
        return all;
    }
}
