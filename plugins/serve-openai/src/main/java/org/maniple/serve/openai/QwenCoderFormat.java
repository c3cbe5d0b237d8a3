package org.maniple.serve.openai;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * The calls of Qwen3-Coder: {@code <tool_call><function=NAME><parameter=KEY>VALUE</parameter></function></tool_call>}. Values are bare
 * texts; what they are in JSON is what the tool's schema says. A string is passed on as it comes, other values when they are whole.
 */
final class QwenCoderFormat implements ToolCallFormat {

    private static final String BEGIN = "<tool_call>";
    private static final String END = "</tool_call>";
    private static final String FUNCTION = "<function=";
    private static final String FUNCTION_END = "</function>";
    private static final String PARAMETER = "<parameter=";
    private static final String PARAMETER_END = "</parameter>";
    private static final Set<String> NUMBERS = Set.of("integer", "number");
    private static final Set<String> STRUCTURES = Set.of("object", "array");
    private static final Pattern NUMBER = Pattern.compile("-?(0|[1-9]\\d{0,99})(\\.\\d{1,99})?([eE][+-]?\\d{1,3})?");
    private static final int MOST_NAME = 512;

    private final Json json;

    QwenCoderFormat(Json json) {
        this.json = json;
    }

    @Override
    public List<String> marks() {
        return List.of(BEGIN, END);
    }

    @Override
    public CallReader open(List<Tool> tools, CallSink sink) {
        return new Reader(tools, sink);
    }

    private final class Reader implements CallReader {

        private enum At {
            CONTENT, BEGUN, NAME, BETWEEN, KEY, STRING, OTHER
        }

        private final List<Tool> tools;
        private final CallSink sink;
        private final MarkFinder marks = new MarkFinder(BEGIN, END, FUNCTION, FUNCTION_END, PARAMETER, PARAMETER_END);
        private final StringBuilder free = new StringBuilder();
        private final StringBuilder text = new StringBuilder();
        private final StringBuilder value = new StringBuilder();
        private Tool tool = new Tool("", Map.of());
        private boolean called;
        private boolean valued;
        private boolean first;
        private boolean lineBreak;
        private String type = "";
        private At at = At.CONTENT;

        Reader(List<Tool> tools, CallSink sink) {
            this.tools = tools;
            this.sink = sink;
        }

        @Override
        public void take(char c) {
            String mark = marks.take(c, free);
            passFree();
            if (mark != null) {
                mark(mark);
            }
        }

        @Override
        public void finish() {
            marks.finish(free);
            passFree();
            if (at == At.BEGUN || at == At.NAME) {
                giveBack();
            }
        }

        private void passFree() {
            for (int i = 0; i < free.length(); i++) {
                free(free.charAt(i));
            }
            free.setLength(0);
        }

        private void free(char c) {
            switch (at) {
                case CONTENT -> sink.content(String.valueOf(c));
                case BEGUN -> {
                    text.append(c);
                    if (!CallObject.isSpace(c)) {
                        giveBack();
                    }
                }
                case NAME -> name(c);
                case BETWEEN -> {
                }
                case KEY -> key(c);
                case STRING -> string(c);
                case OTHER -> value.append(c);
            }
        }

        private void mark(String mark) {
            switch (at) {
                case CONTENT -> outside(mark);
                case BEGUN -> {
                    text.append(mark);
                    if (mark.equals(FUNCTION)) {
                        at = At.NAME;
                    } else {
                        giveBack();
                    }
                }
                case NAME -> {
                    giveBack();
                    outside(mark);
                }
                case BETWEEN, KEY -> inside(mark);
                case STRING, OTHER -> {
                    if (mark.equals(BEGIN) || mark.equals(END) || mark.equals(FUNCTION)) {
                        // Part of a value that talks about tools.
                        mark.chars().forEach(c -> free((char) c));
                    } else {
                        endValue();
                        inside(mark);
                    }
                }
            }
        }

        private void outside(String mark) {
            switch (mark) {
                case BEGIN -> {
                    text.append(mark);
                    at = At.BEGUN;
                }
                case FUNCTION -> {
                    text.append(mark);
                    at = At.NAME;
                }
                case END -> {
                    if (!called) {
                        sink.content(mark);
                    }
                }
                default -> sink.content(mark);
            }
        }

        private void inside(String mark) {
            switch (mark) {
                case PARAMETER -> {
                    text.setLength(0);
                    at = At.KEY;
                }
                case FUNCTION_END, END -> {
                    sink.arguments(valued ? "}" : "{}");
                    text.setLength(0);
                    at = At.CONTENT;
                }
                default -> at = At.BETWEEN;
            }
        }

        private void name(char c) {
            text.append(c);
            String name = text.substring(text.lastIndexOf(FUNCTION) + FUNCTION.length());
            if (c == '>') {
                String function = name.substring(0, name.length() - 1).strip();
                if (function.isEmpty()) {
                    giveBack();
                } else {
                    begin(function);
                }
            } else if (CallObject.isSpace(c) || name.length() > MOST_NAME) {
                giveBack();
            }
        }

        private void begin(String name) {
            tool = tools.stream().filter(one -> one.name().equals(name)).findFirst()
                    .orElse(new Tool(name, Map.of()));
            called = true;
            valued = false;
            text.setLength(0);
            at = At.BETWEEN;
            sink.call(name);
        }

        private void key(char c) {
            if (c != '>') {
                text.append(c);
                return;
            }
            String key = text.toString().strip();
            text.setLength(0);
            sink.arguments((valued ? ", " : "{") + JsonValue.quoted(key) + ": ");
            valued = true;
            first = true;
            lineBreak = false;
            value.setLength(0);
            type = tool.typeOf(key).toLowerCase(Locale.ROOT);
            boolean bare = NUMBERS.contains(type) || STRUCTURES.contains(type) || type.equals("boolean") || type.equals("null");
            at = bare ? At.OTHER : At.STRING;
            if (!bare) {
                sink.arguments("\"");
            }
        }

        /** The line breaks after the opening and before the closing tag belong to the tags. */
        private void string(char c) {
            if (first && c == '\n') {
                first = false;
                return;
            }
            first = false;
            if (lineBreak) {
                sink.arguments("\\n");
            }
            lineBreak = c == '\n';
            if (!lineBreak) {
                sink.arguments(JsonValue.escaped(String.valueOf(c)));
            }
        }

        private void endValue() {
            if (at == At.STRING) {
                sink.arguments("\"");
            } else {
                String whole = value.toString();
                sink.arguments(inJson(whole.strip()) ? literal(whole.strip()) : JsonValue.quoted(whole.strip()));
            }
        }

        private String literal(String whole) {
            return type.equals("boolean") ? whole.toLowerCase(Locale.ROOT) : whole;
        }

        private boolean inJson(String whole) {
            if (whole.equals("null")) {
                return true;
            }
            if (NUMBERS.contains(type)) {
                return NUMBER.matcher(whole).matches();
            }
            if (type.equals("boolean")) {
                return whole.equalsIgnoreCase("true") || whole.equalsIgnoreCase("false");
            }
            return STRUCTURES.contains(type) && isWhole(whole);
        }

        private boolean isWhole(String whole) {
            try {
                json.readObject(("{\"value\":" + whole + "}").getBytes(StandardCharsets.UTF_8));
                return true;
            } catch (ApiException e) {
                return false;
            }
        }

        private void giveBack() {
            sink.content(text);
            text.setLength(0);
            at = At.CONTENT;
        }
    }
}
