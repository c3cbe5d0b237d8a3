package org.maniple.tokenizer.hf;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Finds added tokens in a text: leftmost first, of those the longest. */
final class AddedTokenFinder {

    /** Receives the text in order: stretches without added tokens, and tokens. */
    interface Parts {
        void text(int start, int end);

        void token(AddedToken token);
    }

    private static final class Node {
        private final Map<Character, Node> next = new HashMap<>(4);
        private @Nullable AddedToken token;
    }

    private final Node root = new Node();

    AddedTokenFinder(List<AddedToken> tokens, Function<AddedToken, String> spelling) {
        for (var token : tokens) {
            var text = spelling.apply(token);
            if (text.isEmpty()) {
                continue;
            }
            var node = root;
            for (int i = 0; i < text.length(); i++) {
                node = node.next.computeIfAbsent(text.charAt(i), c -> new Node());
            }
            node.token = token;
        }
    }

    void find(String text, Parts parts) {
        int done = 0;
        for (int at = 0; at < text.length(); at++) {
            var start = root.next.get(text.charAt(at));
            if (start == null) {
                continue;
            }
            int end = longest(start, text, at + 1);
            if (end < 0) {
                continue;
            }
            var token = tokenAt(text, at, end);
            if (token.singleWord() && (touchesWord(text, at, true) || touchesWord(text, end, false))) {
                at = end - 1;
                continue;
            }
            int from = token.lstrip() ? spaceBefore(text, at, done) : at;
            int to = token.rstrip() ? spaceAfter(text, end) : end;
            if (from > done) {
                parts.text(done, from);
            }
            parts.token(token);
            done = to;
            at = to - 1;
        }
        if (done < text.length()) {
            parts.text(done, text.length());
        }
    }

    private static int longest(Node start, String text, int at) {
        int end = start.token == null ? -1 : at;
        var node = start;
        while (at < text.length()) {
            node = node.next.get(text.charAt(at++));
            if (node == null) {
                break;
            }
            if (node.token != null) {
                end = at;
            }
        }
        return end;
    }

    private AddedToken tokenAt(String text, int start, int end) {
        var node = root;
        for (int i = start; i < end; i++) {
            node = node.next.get(text.charAt(i));
            if (node == null) {
                throw new IllegalStateException("the match at " + start + " is not in the trie");
            }
        }
        if (node.token == null) {
            throw new IllegalStateException("the match at " + start + " has no token");
        }
        return node.token;
    }

    private static boolean touchesWord(String text, int at, boolean before) {
        if (at == (before ? 0 : text.length())) {
            return false;
        }
        int point = before ? text.codePointBefore(at) : text.codePointAt(at);
        return Character.isLetterOrDigit(point) || Character.isAlphabetic(point) || switch (Character.getType(point)) {
            case Character.NON_SPACING_MARK, Character.ENCLOSING_MARK, Character.COMBINING_SPACING_MARK,
                    Character.CONNECTOR_PUNCTUATION ->
                true;
            default -> false;
        };
    }

    private static int spaceBefore(String text, int at, int least) {
        while (at > least && PreTokenizerReader.isSpace(text.charAt(at - 1))) {
            at--;
        }
        return at;
    }

    private static int spaceAfter(String text, int at) {
        while (at < text.length() && PreTokenizerReader.isSpace(text.charAt(at))) {
            at++;
        }
        return at;
    }
}
