package org.maniple.tokenizer.hf;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/** The methods of Python's strings that templates may call. */
final class StringMethods {
    private static final Set<String> NAMES = Set.of("strip", "lstrip", "rstrip", "upper", "lower", "casefold", "title",
            "capitalize",
            "swapcase", "split", "rsplit", "splitlines", "partition", "rpartition", "startswith", "endswith", "find", "rfind",
            "index",
            "rindex", "count", "replace", "join", "removeprefix", "removesuffix", "isdigit", "isdecimal", "isnumeric", "isalpha",
            "isalnum",
            "isspace", "isupper", "islower", "format", "ljust", "rjust", "center", "zfill");

    enum Pad {
        LEFT, RIGHT, BOTH
    }

    private StringMethods() {}

    /** The method, or null where strings have none of this name. */
    static @Nullable Object find(String text, String name, Evaluator evaluator) {
        return NAMES.contains(name)
                ? (TemplateObject.Function) arguments -> call(text, name, named(name, arguments), evaluator)
                : null;
    }

    private static CallArguments named(String name, CallArguments arguments) {
        return new CallArguments("str." + name, arguments.positional(), arguments.named());
    }

    private static @Nullable Object call(String text, String name, CallArguments arguments, Evaluator evaluator) {
        evaluator.budget().work(text.length() / 64);
        return switch (name) {
            case "strip", "lstrip", "rstrip" -> strip(text, name, arguments.bind("chars").optionalText("chars"));
            case "split", "rsplit" -> StringSplitting.split(text, arguments, name.equals("rsplit"), evaluator.budget());
            case "splitlines" -> lines(text, arguments.bind("keepends").flag("keepends", false));
            case "partition", "rpartition" -> StringSplitting.partition(text, arguments.bind("sep").text("sep", ""),
                    name.equals("rpartition"));
            case "startswith", "endswith" -> ends(text, arguments, name.equals("startswith"));
            case "find", "rfind", "index", "rindex" -> find(text, name, arguments.bind("sub").text("sub", ""));
            case "count" -> count(text, arguments.bind("sub").text("sub", ""));
            case "replace" -> {
                var given = arguments.bind("old", "new", "count");
                yield replace(text, given.text("old", ""), given.text("new", ""), given.integer("count").orElse(-1),
                        evaluator.budget());
            }
            case "join" -> evaluator.join(text, strings(evaluator.elements(arguments.bind("iterable").required("iterable"))));
            case "removeprefix" -> removePrefix(text, arguments.bind("prefix").text("prefix", ""));
            case "removesuffix" -> removeSuffix(text, arguments.bind("suffix").text("suffix", ""));
            case "format" -> evaluator.budget().made(new BraceFormat(text, arguments, evaluator).format());
            case "ljust", "rjust", "center" -> {
                var given = arguments.bind("width", "fillchar");
                yield pad(text, given.amount("width", 0), given.text("fillchar", " "),
                        name.equals("ljust") ? Pad.RIGHT : name.equals("rjust") ? Pad.LEFT : Pad.BOTH);
            }
            case "zfill" -> zfill(text, arguments.bind("width").amount("width", 0));
            default -> simple(text, name, arguments);
        };
    }

    private static Object simple(String text, String name, CallArguments arguments) {
        arguments.bind();
        return switch (name) {
            case "upper" -> PythonStrings.upper(text);
            case "lower", "casefold" -> PythonStrings.lower(text);
            case "title" -> PythonStrings.title(text, point -> !Character.isLetter(point));
            case "capitalize" -> PythonStrings.capitalize(text);
            case "swapcase" -> swapCase(text);
            case "isdigit", "isdecimal", "isnumeric" -> all(text, Character::isDigit);
            case "isalpha" -> all(text, Character::isLetter);
            case "isalnum" -> all(text, Character::isLetterOrDigit);
            case "isspace" -> all(text, PythonStrings::isSpace);
            case "isupper" -> !PythonStrings.lower(text).equals(text) && PythonStrings.upper(text).equals(text);
            case "islower" -> !PythonStrings.upper(text).equals(text) && PythonStrings.lower(text).equals(text);
            default -> throw new IllegalStateException(name);
        };
    }

    private static boolean all(String text, IntPredicate test) {
        return !text.isEmpty() && text.codePoints().allMatch(test);
    }

    private static String swapCase(String text) {
        var out = new StringBuilder(text.length());
        text.codePoints().forEach(
                point -> out.appendCodePoint(
                        Character.isUpperCase(point) ? Character.toLowerCase(point) : Character.toUpperCase(point)));
        return out.toString();
    }

    private static String strip(String text, String name, @Nullable String characters) {
        IntPredicate strips = characters == null ? PythonStrings::isSpace : point -> characters.indexOf(point) >= 0;
        var end = name.equals("lstrip") ? text : PythonStrings.stripEnd(text, strips);
        return name.equals("rstrip") ? end : PythonStrings.stripStart(end, strips);
    }

    private static boolean ends(String text, CallArguments arguments, boolean start) {
        var given = arguments.bind("affix").required("affix");
        if (given instanceof TemplateObject.Tuple tuple) {
            return strings(tuple).stream()
                    .anyMatch(affix -> start ? text.startsWith((String) affix) : text.endsWith((String) affix));
        }
        if (given instanceof String affix) {
            return start ? text.startsWith(affix) : text.endsWith(affix);
        }
        throw TemplateException
                .failed(arguments.callee() + " needs a string or a tuple of strings, not " + PythonValues.type(given));
    }

    private static List<Object> strings(List<@Nullable Object> elements) {
        var strings = new ArrayList<Object>(elements.size());
        for (var element : elements) {
            if (!(element instanceof String text)) {
                throw TemplateException.failed("expected strings, found '" + PythonValues.type(element) + "'");
            }
            strings.add(text);
        }
        return strings;
    }

    private static Object find(String text, String name, String part) {
        int at = name.startsWith("r") ? text.lastIndexOf(part) : text.indexOf(part);
        if (at < 0 && name.endsWith("index")) {
            throw TemplateException.failed("substring not found");
        }
        return at < 0 ? -1L : (long) text.codePointCount(0, at);
    }

    private static Object count(String text, String part) {
        if (part.isEmpty()) {
            return PythonStrings.length(text) + 1L;
        }
        long count = 0;
        for (int at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length())) {
            count++;
        }
        return count;
    }

    /** Replaces up to {@code count} times, or everywhere where it is negative. */
    static String replace(String text, String old, String replacement, long count, RenderBudget budget) {
        if (old.isEmpty()) {
            return replaceNothing(text, replacement, count, budget);
        }
        budget.text(text.length());
        var out = new StringBuilder();
        int done = 0;
        long left = count < 0 ? Long.MAX_VALUE : count;
        for (int at = text.indexOf(old); at >= 0 && left > 0; at = text.indexOf(old, done), left--) {
            out.append(text, done, at).append(replacement);
            done = at + old.length();
            budget.text(out.length() > RenderBudget.LARGEST_TEXT ? out.length() : replacement.length());
        }
        return budget.made(out.append(text, done, text.length()).toString());
    }

    /** Replacing the empty string puts the replacement between all characters. */
    private static String replaceNothing(String text, String replacement, long count, RenderBudget budget) {
        budget.text((text.length() + 1L) * replacement.length() + text.length());
        var out = new StringBuilder();
        long left = count < 0 ? Long.MAX_VALUE : count;
        for (int i = 0; i < text.length(); i += Character.charCount(text.codePointAt(i))) {
            out.append(left-- > 0 ? replacement : "").appendCodePoint(text.codePointAt(i));
        }
        return out.append(left > 0 ? replacement : "").toString();
    }

    private static String removePrefix(String text, String prefix) {
        return text.startsWith(prefix) ? text.substring(prefix.length()) : text;
    }

    private static String removeSuffix(String text, String suffix) {
        return text.endsWith(suffix) ? text.substring(0, text.length() - suffix.length()) : text;
    }

    static String pad(String text, int width, String filler, Pad where) {
        int missing = width - PythonStrings.length(text);
        if (missing <= 0) {
            return text;
        }
        if (PythonStrings.length(filler) != 1) {
            throw TemplateException.failed("The fill character must be exactly one character long");
        }
        int left = switch (where) {
            case LEFT -> missing;
            case RIGHT -> 0;
            case BOTH -> missing / 2 + (missing & width & 1);
        };
        return filler.repeat(left) + text + filler.repeat(missing - left);
    }

    private static String zfill(String text, int width) {
        boolean signed = text.startsWith("-") || text.startsWith("+");
        int missing = Math.max(0, width - PythonStrings.length(text));
        return (signed ? text.substring(0, 1) : "") + "0".repeat(missing) + (signed ? text.substring(1) : text);
    }

    /** The lines of a text; a newline at its end begins no other. */
    static List<String> lines(String text, boolean keepEnds) {
        var lines = new ArrayList<String>();
        int start = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            boolean ends = c >= '\n' && c <= '\r' || c >= 0x1C && c <= 0x1E || c == 0x85 || c == 0x2028 || c == 0x2029;
            if (ends) {
                int after = c == '\r' && i + 1 < text.length() && text.charAt(i + 1) == '\n' ? i + 2 : i + 1;
                lines.add(text.substring(start, keepEnds ? after : i));
                start = after;
                i = after - 1;
            }
        }
        if (start < text.length()) {
            lines.add(text.substring(start));
        }
        return lines;
    }
}
