package org.maniple.tokenizer.hf;

import java.text.Normalizer.Form;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Builds the {@code normalizer} of a tokenizer.json. */
final class NormalizerReader {
    private static final Pattern MARKS = Pattern.compile("\\p{M}+");
    private static final Pattern COMMON_SPACE_AT_START = Pattern.compile("^\\p{IsWhite_Space}+");
    private static final Pattern COMMON_SPACE_AT_END = Pattern.compile("\\p{IsWhite_Space}+$");
    private static final int DEEPEST = 16;

    private NormalizerReader() {}

    static Normalizer read(JsonField field) {
        return read(field, 0);
    }

    private static Normalizer read(JsonField field, int depth) {
        var type = field.required("type");
        return switch (type.string()) {
            case "Sequence" -> sequence(field, depth);
            case "NFC" -> form(Form.NFC);
            case "NFD" -> form(Form.NFD);
            case "NFKC" -> form(Form.NFKC);
            case "NFKD" -> form(Form.NFKD);
            case "Lowercase" -> NormalizerReader::lowercase;
            case "Strip" -> strip(field.bool("strip_left", true), field.bool("strip_right", true));
            case "StripAccents" -> text -> MARKS.matcher(text).replaceAll("");
            case "Prepend" -> prepend(field.required("prepend").string());
            case "Replace" -> replace(field);
            case "ByteLevel" -> ByteAlphabet::spell;
            default ->
                throw type.error("normalizer not supported; supported are Sequence, NFC, NFD, NFKC, NFKD, Lowercase, Strip, "
                        + "StripAccents, Prepend, Replace, ByteLevel");
        };
    }

    private static Normalizer sequence(JsonField field, int depth) {
        if (depth >= DEEPEST) {
            throw field.error("sequences nested more than " + DEEPEST + " deep");
        }
        Normalizer all = text -> text;
        for (var element : field.required("normalizers").elements()) {
            all = all.then(read(element, depth + 1));
        }
        return all;
    }

    private static Normalizer form(Form form) {
        return text -> java.text.Normalizer.normalize(text, form);
    }

    /** Character by character, as the reference does: a final sigma is not special. */
    private static String lowercase(String text) {
        var out = new StringBuilder(text.length());
        text.codePoints().forEach(point -> {
            if (point == 0x130) {
                out.append("i\u0307");
            } else {
                out.appendCodePoint(Character.toLowerCase(point));
            }
        });
        return out.toString();
    }

    private static Normalizer strip(boolean left, boolean right) {
        return text -> {
            var start = left ? COMMON_SPACE_AT_START.matcher(text).replaceFirst("") : text;
            return right ? COMMON_SPACE_AT_END.matcher(start).replaceFirst("") : start;
        };
    }

    private static Normalizer prepend(String prefix) {
        return text -> text.isEmpty() ? text : prefix + text;
    }

    private static Normalizer replace(JsonField field) {
        var pattern = field.required("pattern");
        var content = field.string("content", "");
        var literal = pattern.isObject() ? pattern.optional("String") : java.util.Optional.of(pattern);
        if (literal.isPresent()) {
            var target = literal.get().string();
            return text -> target.isEmpty() ? text : text.replace(target, content);
        }
        var regex = OnigurumaRegex.compile(pattern.required("Regex"));
        var replacement = Matcher.quoteReplacement(content);
        return text -> {
            try {
                return regex.matcher(new BoundedText(text)).replaceAll(replacement);
            } catch (StackOverflowError e) {
                throw new TextLimitException("a regex of the normalizer needs too much stack on a text of " + text.length()
                        + " characters");
            }
        };
    }
}
