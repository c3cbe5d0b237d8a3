package org.maniple.tokenizer.hf;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Filters on texts. */
final class TextFilters {
    private static final Pattern WORD = Pattern.compile("\\w+", Pattern.UNICODE_CHARACTER_CLASS);

    static final Map<String, Filter> ALL = Map.ofEntries(
            Map.entry("upper", text(PythonStrings::upper)),
            Map.entry("lower", text(PythonStrings::lower)),
            Map.entry("capitalize", text(PythonStrings::capitalize)),
            Map.entry("title", text(text -> PythonStrings.title(text,
                    point -> point == '-' || PythonStrings.isSpace(point) || "({[<".indexOf(point) >= 0))),
            Map.entry("escape", text(TextFilters::escape)),
            Map.entry("e", text(TextFilters::escape)),
            Map.entry("forceescape", text(TextFilters::escape)),
            Map.entry("trim", TextFilters::trim),
            Map.entry("replace", TextFilters::replace),
            Map.entry("indent", TextFilters::indent),
            Map.entry("truncate", TextFilters::truncate),
            Map.entry("wordcount", (input, arguments, evaluator) -> WORD.matcher(evaluator.str(input)).results().count()),
            Map.entry("urlencode", TextFilters::urlencode),
            Map.entry("center", (input, arguments, evaluator) -> StringMethods.pad(evaluator.str(input),
                    arguments.bind("width").amount("width", 80), " ", StringMethods.Pad.BOTH)),
            Map.entry("format", TextFilters::format));

    private TextFilters() {}

    private interface OnText {
        String apply(String text);
    }

    private static Filter text(OnText onText) {
        return (input, arguments, evaluator) -> {
            arguments.bind();
            return evaluator.budget().made(onText.apply(evaluator.str(input)));
        };
    }

    private static String escape(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("'", "&#39;").replace("\"", "&#34;");
    }

    private static Object trim(@Nullable Object input, CallArguments arguments, Evaluator evaluator) {
        var characters = arguments.bind("chars").optionalText("chars");
        var text = evaluator.str(input);
        return characters == null
                ? PythonStrings.strip(text)
                : PythonStrings.stripStart(PythonStrings.stripEnd(text, in(characters)), in(characters));
    }

    private static java.util.function.IntPredicate in(String characters) {
        return point -> characters.indexOf(point) >= 0;
    }

    private static Object replace(@Nullable Object input, CallArguments arguments, Evaluator evaluator) {
        var given = arguments.bind("old", "new", "count");
        return StringMethods.replace(evaluator.str(input), evaluator.str(given.required("old")),
                evaluator.str(given.required("new")),
                given.integer("count").orElse(-1), evaluator.budget());
    }

    private static Object indent(@Nullable Object input, CallArguments arguments, Evaluator evaluator) {
        var given = arguments.bind("width", "first", "blank");
        var indent = given.get("width", 4L) instanceof String prefix ? prefix : " ".repeat(Math.max(0, given.amount("width", 4)));
        boolean blank = given.flag("blank", false);
        if (!(input instanceof String text)) {
            throw TemplateException.failed("only a text can be indented, not '" + PythonValues.type(input) + "'");
        }
        var lines = StringMethods.lines(text + "\n", false);
        var out = new StringBuilder(given.flag("first", false) ? indent : "");
        for (int i = 0; i < lines.size(); i++) {
            if (i > 0) {
                out.append('\n').append(blank || !lines.get(i).isEmpty() ? indent : "");
            }
            out.append(lines.get(i));
            evaluator.budget().text(out.length() > RenderBudget.LARGEST_TEXT ? out.length() : indent.length());
        }
        return out.toString();
    }

    private static Object truncate(@Nullable Object input, CallArguments arguments, Evaluator evaluator) {
        var given = arguments.bind("length", "killwords", "end", "leeway");
        var text = evaluator.str(input);
        var end = given.text("end", "...");
        int length = given.amount("length", 255);
        if (PythonStrings.length(text) <= length + given.amount("leeway", 5)) {
            return text;
        }
        var kept = PythonStrings.head(text, length - PythonStrings.length(end));
        int space = given.flag("killwords", false) ? -1 : kept.lastIndexOf(' ');
        return (space < 0 ? kept : kept.substring(0, space)) + end;
    }

    private static Object urlencode(@Nullable Object input, CallArguments arguments, Evaluator evaluator) {
        arguments.bind();
        if (input instanceof Map<?, ?> map) {
            var parts = new ArrayList<String>();
            map.forEach(
                    (key, value) -> parts.add(encoded(evaluator.str(key), false) + "=" + encoded(evaluator.str(value), false)));
            return evaluator.budget().made(String.join("&", parts));
        }
        return evaluator.budget().made(encoded(evaluator.str(input), true));
    }

    private static String encoded(String text, boolean path) {
        var form = URLEncoder.encode(text, StandardCharsets.UTF_8).replace("*", "%2A").replace("%7E", "~");
        return path ? form.replace("+", "%20").replace("%2F", "/") : form;
    }

    private static Object format(@Nullable Object input, CallArguments arguments, Evaluator evaluator) {
        List<@Nullable Object> positional = arguments.positional();
        Object values = arguments.named().isEmpty() ? new TemplateObject.Tuple(positional) : arguments.named();
        return evaluator.budget().made(PercentFormat.format(evaluator.str(input), values, evaluator.budget()));
    }
}
