package org.maniple.tokenizer.hf;

import java.util.Arrays;
import java.util.OptionalInt;

/**
 * What {@code add_bos_token} and {@code add_eos_token} of a tokenizer_config.json ask for on top of the tokenizer.json's post-processor: where
 * they are given, exactly one such token or none; where not, whatever the post-processor did.
 *
 * @param first the token the text must begin with, or must not begin with
 * @param last  the token the text must end with, or must not end with
 */
record SpecialTokenPolicy(Rule first, Rule last) {

    /** A token and whether it is wanted; without a token there is nothing to do. */
    record Rule(OptionalInt token, boolean wanted) {
        static final Rule NONE = new Rule(OptionalInt.empty(), false);
    }

    static SpecialTokenPolicy none() {
        return new SpecialTokenPolicy(Rule.NONE, Rule.NONE);
    }

    int[] apply(int[] ids) {
        return atEnd(atStart(ids));
    }

    private int[] atStart(int[] ids) {
        if (first.token.isEmpty()) {
            return ids;
        }
        int token = first.token.getAsInt();
        boolean there = ids.length > 0 && ids[0] == token;
        if (there == first.wanted) {
            return ids;
        }
        if (there) {
            return Arrays.copyOfRange(ids, 1, ids.length);
        }
        var more = new int[ids.length + 1];
        more[0] = token;
        System.arraycopy(ids, 0, more, 1, ids.length);
        return more;
    }

    private int[] atEnd(int[] ids) {
        if (last.token.isEmpty()) {
            return ids;
        }
        int token = last.token.getAsInt();
        boolean there = ids.length > 0 && ids[ids.length - 1] == token;
        if (there == last.wanted) {
            return ids;
        }
        var other = Arrays.copyOf(ids, there ? ids.length - 1 : ids.length + 1);
        if (!there) {
            other[ids.length] = token;
        }
        return other;
    }
}
