package org.maniple.tokenizer.hf;

import java.util.List;
import java.util.function.Predicate;

/** Text to ids: added tokens are cut out, the rest is normalised, cut into words and encoded word by word. Thread-safe. */
final class TextEncoder {
    private final Normalizer normalizer;
    private final PreTokenizer preTokenizer;
    private final BpeModel model;
    private final AddedTokenFinder inOriginal;
    private final AddedTokenFinder inNormalized;

    TextEncoder(Normalizer normalizer, PreTokenizer preTokenizer, BpeModel model, List<AddedToken> added) {
        this.normalizer = normalizer;
        this.preTokenizer = preTokenizer;
        this.model = model;
        Predicate<AddedToken> normalized = AddedToken::normalized;
        inOriginal = new AddedTokenFinder(added.stream().filter(normalized.negate()).toList(), AddedToken::content);
        inNormalized = new AddedTokenFinder(added.stream().filter(normalized).toList(),
                token -> normalizer.normalize(token.content()));
    }

    int[] encode(String input) {
        var text = wellFormed(input);
        var ids = new TokenIds();
        inOriginal.find(text, new AddedTokenFinder.Parts() {
            @Override
            public void text(int start, int end) {
                encodeNormalized(normalizer.normalize(text.substring(start, end)), start == 0, ids);
            }

            @Override
            public void token(AddedToken token) {
                ids.add(token.id());
            }
        });
        return ids.toArray();
    }

    private void encodeNormalized(String text, boolean first, TokenIds ids) {
        inNormalized.find(text, new AddedTokenFinder.Parts() {
            @Override
            public void text(int start, int end) {
                preTokenizer.split(new Piece(text.substring(start, end), first && start == 0),
                        word -> model.encode(word.text(), ids));
            }

            @Override
            public void token(AddedToken token) {
                ids.add(token.id());
            }
        });
    }

    /** Half a surrogate pair is no character; it becomes U+FFFD, as in any conversion to UTF-8. */
    private static String wellFormed(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (Character.isSurrogate(text.charAt(i))) {
                return text.codePoints().map(point -> point >= 0xD800 && point <= 0xDFFF ? Utf8Stream.REPLACEMENT : point)
                        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append).toString();
            }
        }
        return text;
    }
}
