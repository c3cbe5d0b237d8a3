package org.maniple.serve.openai;

import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.maniple.serve.openai.JsonSpan.Place;

/**
 * The calls of Mistral: {@code [TOOL_CALLS]} and a list of objects, or, in later models, a name and its arguments after each
 * {@code [TOOL_CALLS]}, with {@code [ARGS]} between them or not.
 */
final class MistralFormat implements ToolCallFormat {

    private static final String BEGIN = "[TOOL_CALLS]";
    private static final String ARGUMENTS = "[ARGS]";
    private static final String CALL_ID = "[CALL_ID]";
    private static final String ID_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    private static final int ID_LENGTH = 9;
    private static final Pattern HEAD = Pattern.compile("\\s*[\\w.-]*\\s*(\\[[^\\n]*)?");
    private static final int MOST_HEAD = 512;

    @Override
    public List<String> marks() {
        return List.of(BEGIN, ARGUMENTS, CALL_ID);
    }

    /** Mistral's templates refuse ids of another length. */
    @Override
    public String newId() {
        return ThreadLocalRandom.current().ints(ID_LENGTH, 0, ID_CHARACTERS.length())
                .mapToObj(i -> ID_CHARACTERS.substring(i, i + 1)).collect(Collectors.joining());
    }

    @Override
    public CallReader open(List<Tool> tools, CallSink sink) {
        return new Reader(sink);
    }

    private static final class Reader implements CallReader {

        private enum At {
            CONTENT, HEAD, OBJECT, LIST, ARGUMENTS
        }

        private final CallSink sink;
        private final MarkFinder marks = new MarkFinder(BEGIN);
        private final StringBuilder free = new StringBuilder();
        private final StringBuilder text = new StringBuilder();
        private final StringBuilder piece = new StringBuilder();
        private CallObject object;
        private JsonSpan span = new JsonSpan();
        private boolean listed;
        private At at = At.CONTENT;

        Reader(CallSink sink) {
            this.sink = sink;
            this.object = next();
        }

        @Override
        public void take(char c) {
            switch (at) {
                case CONTENT -> content(c);
                case HEAD -> head(c);
                case OBJECT -> inObject(c);
                case LIST -> list(c);
                case ARGUMENTS -> arguments(c);
            }
        }

        @Override
        public void finish() {
            switch (at) {
                case CONTENT -> {
                    marks.finish(free);
                    sink.content(free);
                }
                case HEAD -> giveBack("");
                case OBJECT -> {
                    if (!object.isCall()) {
                        giveBack(object.text());
                    }
                }
                case LIST -> giveBack("");
                case ARGUMENTS -> {
                }
            }
        }

        private void content(char c) {
            String mark = marks.take(c, free);
            sink.content(free);
            free.setLength(0);
            if (mark != null) {
                text.append(mark);
                at = At.HEAD;
                listed = false;
            }
        }

        /** After the mark: a list, an object, or a name with its arguments. */
        private void head(char c) {
            String before = text.substring(BEGIN.length());
            if (before.isBlank() && (c == '[' || c == '{')) {
                listed = c == '[';
                object = next();
                at = listed ? At.LIST : At.OBJECT;
                if (listed) {
                    text.append(c);
                } else {
                    inObject(c);
                }
            } else if (c == '{') {
                named(before);
            } else {
                text.append(c);
                if (text.length() > MOST_HEAD || !HEAD.matcher(before + c).matches()) {
                    giveBack("");
                }
            }
        }

        private void named(String before) {
            int end = before.indexOf('[');
            String name = (end < 0 ? before : before.substring(0, end)).strip();
            boolean known = end < 0 || before.substring(end).strip().endsWith(ARGUMENTS)
                    || before.startsWith(CALL_ID, end);
            if (name.isEmpty() || !known || name.chars().anyMatch(Character::isWhitespace)) {
                giveBack("{");
                return;
            }
            sink.call(name);
            text.setLength(0);
            span = new JsonSpan();
            at = At.ARGUMENTS;
            arguments('{');
        }

        private void arguments(char c) {
            Place place = span.take(c, piece);
            if (!piece.isEmpty()) {
                sink.arguments(piece);
                piece.setLength(0);
            }
            if (place != Place.INSIDE) {
                at = At.CONTENT;
            }
            if (place == Place.AFTER) {
                content(c);
            }
        }

        private void inObject(char c) {
            switch (object.take(c)) {
                case OPEN -> {
                    if (object.isCall()) {
                        text.setLength(0);
                    }
                }
                case DONE -> {
                    text.setLength(0);
                    at = listed ? At.LIST : At.CONTENT;
                }
                case NONE -> giveBack(object.text());
                case CUT -> {
                    at = At.CONTENT;
                    content(c);
                }
            }
        }

        private void list(char c) {
            if (c == '{') {
                object = next();
                at = At.OBJECT;
                inObject(c);
            } else if (c == ']') {
                at = At.CONTENT;
                text.setLength(0);
            } else if (c == ',' || CallObject.isSpace(c)) {
                if (!text.isEmpty()) {
                    text.append(c);
                }
            } else if (text.isEmpty()) {
                at = At.CONTENT;
                content(c);
            } else {
                giveBack(String.valueOf(c));
            }
        }

        private void giveBack(String rest) {
            sink.content(text);
            sink.content(rest);
            text.setLength(0);
            at = At.CONTENT;
        }

        private CallObject next() {
            return new CallObject(sink, name -> true, false);
        }
    }
}
