package org.maniple.tokenizer.hf;

import java.util.regex.Pattern;

/** Builds the {@code pre_tokenizer} of a tokenizer.json. */
final class PreTokenizerReader {
    private static final TextPattern GPT2_WORDS = TextPattern.regex(Pattern.compile(
            "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
            Pattern.UNICODE_CHARACTER_CLASS));
    private static final TextPattern WORDS = TextPattern
            .regex(Pattern.compile("\\w+|[^\\w\\s]+", Pattern.UNICODE_CHARACTER_CLASS));
    private static final TextPattern SPACE = TextPattern.each(PreTokenizerReader::isSpace);
    private static final TextPattern PUNCTUATION = TextPattern.each(PreTokenizerReader::isPunctuation);
    private static final TextPattern DIGIT = TextPattern.each(PreTokenizerReader::isNumeric);
    private static final int DEEPEST = 16;

    private PreTokenizerReader() {}

    static PreTokenizer read(JsonField field) {
        return read(field, 0);
    }

    private static PreTokenizer read(JsonField field, int depth) {
        var type = field.required("type");
        return switch (type.string()) {
            case "Sequence" -> sequence(field, depth);
            case "ByteLevel" -> byteLevel(field.bool("add_prefix_space", true), field.bool("use_regex", true));
            case "Split" -> cut(TextPattern.read(field.required("pattern")), SplitBehavior.read(field.required("behavior")),
                    field.bool("invert", false));
            case "Digits" -> cut(DIGIT,
                    field.bool("individual_digits", false) ? SplitBehavior.ISOLATED : SplitBehavior.CONTIGUOUS, false);
            case "Metaspace" -> metaspace(field);
            case "Whitespace" -> cut(WORDS, SplitBehavior.REMOVED, true);
            case "WhitespaceSplit" -> cut(SPACE, SplitBehavior.REMOVED, false);
            case "Punctuation" -> cut(PUNCTUATION,
                    field.optional("behavior").map(SplitBehavior::read).orElse(SplitBehavior.ISOLATED), false);
            case "BertPreTokenizer" ->
                cut(SPACE, SplitBehavior.REMOVED, false).then(cut(PUNCTUATION, SplitBehavior.ISOLATED, false));
            case "CharDelimiterSplit" ->
                cut(TextPattern.literal(field.required("delimiter").string()), SplitBehavior.REMOVED, false);
            default ->
                throw type.error("pre-tokenizer not supported; supported are Sequence, ByteLevel, Split, Digits, Metaspace, "
                        + "Whitespace, WhitespaceSplit, Punctuation, BertPreTokenizer, CharDelimiterSplit");
        };
    }

    private static PreTokenizer sequence(JsonField field, int depth) {
        if (depth >= DEEPEST) {
            throw field.error("sequences nested more than " + DEEPEST + " deep");
        }
        PreTokenizer all = (piece, parts) -> parts.accept(piece);
        for (var element : field.required("pretokenizers").elements()) {
            all = all.then(read(element, depth + 1));
        }
        return all;
    }

    private static PreTokenizer cut(TextPattern pattern, SplitBehavior behavior, boolean invert) {
        return (piece, parts) -> behavior.split(piece, pattern, invert, parts);
    }

    private static PreTokenizer byteLevel(boolean prefixSpace, boolean words) {
        PreTokenizer prefix = (piece, parts) -> parts
                .accept(prefixSpace && !piece.text().startsWith(" ") ? new Piece(" " + piece.text(), piece.first()) : piece);
        PreTokenizer spell = (piece, parts) -> parts.accept(new Piece(ByteAlphabet.spell(piece.text()), piece.first()));
        return words ? prefix.then(cut(GPT2_WORDS, SplitBehavior.ISOLATED, false)).then(spell) : prefix.then(spell);
    }

    private static PreTokenizer metaspace(JsonField field) {
        var mark = field.string("replacement", "\u2581");
        var scheme = MetaspacePrefix.read(field);
        PreTokenizer replace = (piece, parts) -> {
            var text = piece.text().replace(" ", mark);
            boolean add = scheme == MetaspacePrefix.ALWAYS || scheme == MetaspacePrefix.FIRST && piece.first();
            parts.accept(new Piece(add && !text.startsWith(mark) ? mark + text : text, piece.first()));
        };
        return field.bool("split", true)
                ? replace.then(cut(TextPattern.literal(mark), SplitBehavior.MERGED_WITH_NEXT, false))
                : replace;
    }

    static boolean isSpace(int point) {
        return Character.isSpaceChar(point) || point >= '\t' && point <= '\r' || point == 0x85;
    }

    private static boolean isPunctuation(int point) {
        return switch (Character.getType(point)) {
            case Character.CONNECTOR_PUNCTUATION, Character.DASH_PUNCTUATION, Character.START_PUNCTUATION,
                    Character.END_PUNCTUATION,
                    Character.INITIAL_QUOTE_PUNCTUATION, Character.FINAL_QUOTE_PUNCTUATION, Character.OTHER_PUNCTUATION ->
                true;
            default -> point < 128 && "$+<=>^`|~".indexOf(point) >= 0;
        };
    }

    private static boolean isNumeric(int point) {
        return switch (Character.getType(point)) {
            case Character.DECIMAL_DIGIT_NUMBER, Character.LETTER_NUMBER, Character.OTHER_NUMBER -> true;
            default -> false;
        };
    }
}
