package org.maniple.kernel.structured;

import java.util.Map;
import java.util.Optional;

/**
 * The sets of characters that regular expressions have names for. Where dialects differ, a set is what all of them agree upon, so that
 * what is written satisfies each.
 */
final class CharacterClasses {

    static final CodePoints DIGIT = CodePoints.range('0', '9');
    static final CodePoints WORD = DIGIT.or(CodePoints.range('a', 'z')).or(CodePoints.range('A', 'Z')).or(CodePoints.of('_'));
    static final CodePoints SPACE = CodePoints.range('\t', '\r').or(CodePoints.of(' '));
    static final CodePoints NOT_DIGIT = CodePoints.where(c -> !Character.isDigit(c));
    static final CodePoints NOT_WORD = CodePoints.where(c -> !Character.isLetterOrDigit(c) && c != '_'
            && Character.getType(c) != Character.NON_SPACING_MARK && Character.getType(c) != Character.CONNECTOR_PUNCTUATION
            && Character.getType(c) != Character.COMBINING_SPACING_MARK && Character.getType(c) != Character.ENCLOSING_MARK
            && Character.getType(c) != Character.LETTER_NUMBER && Character.getType(c) != Character.OTHER_NUMBER);
    static final CodePoints NOT_SPACE = CodePoints.where(c -> !Character.isWhitespace(c) && !Character.isSpaceChar(c)
            && c != 0xFEFF && c != 0x85);
    static final CodePoints ANY = CodePoints.of("\n\r\u0085\u2028\u2029").not();

    private static final Map<String, Byte> CATEGORIES = Map.ofEntries(
            Map.entry("Lu", Character.UPPERCASE_LETTER), Map.entry("Ll", Character.LOWERCASE_LETTER),
            Map.entry("Lt", Character.TITLECASE_LETTER), Map.entry("Lm", Character.MODIFIER_LETTER),
            Map.entry("Lo", Character.OTHER_LETTER), Map.entry("Mn", Character.NON_SPACING_MARK),
            Map.entry("Me", Character.ENCLOSING_MARK), Map.entry("Mc", Character.COMBINING_SPACING_MARK),
            Map.entry("Nd", Character.DECIMAL_DIGIT_NUMBER), Map.entry("Nl", Character.LETTER_NUMBER),
            Map.entry("No", Character.OTHER_NUMBER), Map.entry("Zs", Character.SPACE_SEPARATOR),
            Map.entry("Zl", Character.LINE_SEPARATOR), Map.entry("Zp", Character.PARAGRAPH_SEPARATOR),
            Map.entry("Pd", Character.DASH_PUNCTUATION), Map.entry("Ps", Character.START_PUNCTUATION),
            Map.entry("Pe", Character.END_PUNCTUATION), Map.entry("Pc", Character.CONNECTOR_PUNCTUATION),
            Map.entry("Po", Character.OTHER_PUNCTUATION), Map.entry("Pi", Character.INITIAL_QUOTE_PUNCTUATION),
            Map.entry("Pf", Character.FINAL_QUOTE_PUNCTUATION), Map.entry("Sm", Character.MATH_SYMBOL),
            Map.entry("Sc", Character.CURRENCY_SYMBOL), Map.entry("Sk", Character.MODIFIER_SYMBOL),
            Map.entry("So", Character.OTHER_SYMBOL));

    private CharacterClasses() {}

    /** The set of a letter after a backslash. */
    static Optional<CodePoints> escaped(int letter) {
        return switch (letter) {
            case 'd' -> Optional.of(DIGIT);
            case 'D' -> Optional.of(NOT_DIGIT);
            case 'w' -> Optional.of(WORD);
            case 'W' -> Optional.of(NOT_WORD);
            case 's' -> Optional.of(SPACE);
            case 'S' -> Optional.of(NOT_SPACE);
            default -> Optional.empty();
        };
    }

    /** A general category of Unicode by its short name of one letter or two. */
    static Optional<CodePoints> category(String name) {
        int types = 0;
        for (var entry : CATEGORIES.entrySet()) {
            if (entry.getKey().equals(name) || name.length() == 1 && entry.getKey().startsWith(name)) {
                types |= 1 << entry.getValue();
            }
        }
        int wanted = types;
        return types == 0
                ? Optional.empty()
                : Optional.of(CodePoints.where(c -> (wanted >>> Character.getType(c) & 1) != 0));
    }
}
