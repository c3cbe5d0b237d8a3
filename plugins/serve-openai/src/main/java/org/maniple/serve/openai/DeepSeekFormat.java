package org.maniple.serve.openai;

import java.util.List;
import org.maniple.serve.openai.JsonSpan.Place;

/**
 * The calls of DeepSeek. V3 and R1 write {@code <｜tool▁call▁begin｜>function<｜tool▁sep｜>NAME}, a line break, and the arguments as a
 * fenced block of JSON; V3.1 writes {@code <｜tool▁call▁begin｜>NAME<｜tool▁sep｜>} and the arguments. Which one it is shows after the
 * separator.
 */
final class DeepSeekFormat implements ToolCallFormat {

    private static final String ALL_BEGIN = "<｜tool▁calls▁begin｜>";
    private static final String ALL_END = "<｜tool▁calls▁end｜>";
    private static final String BEGIN = "<｜tool▁call▁begin｜>";
    private static final String SEPARATOR = "<｜tool▁sep｜>";
    private static final String END = "<｜tool▁call▁end｜>";

    @Override
    public List<String> marks() {
        return List.of(ALL_BEGIN, ALL_END, BEGIN, SEPARATOR, END);
    }

    @Override
    public CallReader open(List<Tool> tools, CallSink sink) {
        return new Reader(sink);
    }

    private static final class Reader implements CallReader {

        private enum At {
            CONTENT, HEAD, FENCE, ARGUMENTS, REST
        }

        private final CallSink sink;
        private final MarkFinder marks = new MarkFinder(ALL_BEGIN, ALL_END, BEGIN, SEPARATOR, END);
        private final StringBuilder free = new StringBuilder();
        private final StringBuilder text = new StringBuilder();
        private final StringBuilder piece = new StringBuilder();
        private String head = "";
        private JsonSpan span = new JsonSpan();
        private At at = At.CONTENT;

        Reader(CallSink sink) {
            this.sink = sink;
        }

        @Override
        public void take(char c) {
            if (at == At.ARGUMENTS) {
                Place place = span.take(c, piece);
                if (!piece.isEmpty()) {
                    sink.arguments(piece);
                    piece.setLength(0);
                }
                if (place != Place.INSIDE) {
                    at = At.REST;
                }
                if (place != Place.AFTER) {
                    return;
                }
            }
            String mark = marks.take(c, free);
            for (int i = 0; i < free.length(); i++) {
                free(free.charAt(i));
            }
            free.setLength(0);
            if (mark != null) {
                mark(mark);
            }
        }

        @Override
        public void finish() {
            marks.finish(free);
            for (int i = 0; i < free.length(); i++) {
                free(free.charAt(i));
            }
            if (at == At.HEAD || at == At.FENCE) {
                giveBack();
            }
        }

        private void free(char c) {
            switch (at) {
                case CONTENT -> sink.content(String.valueOf(c));
                case HEAD -> text.append(c);
                case FENCE -> fence(c);
                case ARGUMENTS -> {
                    span.take(c, piece);
                    sink.arguments(piece);
                    piece.setLength(0);
                }
                case REST -> {
                }
            }
        }

        /** Looks for the opening brace of the arguments. Before it is the name in V3, and nothing in V3.1. */
        private void fence(char c) {
            text.append(c);
            if (c != '{') {
                return;
            }
            String between = text.substring(text.lastIndexOf(SEPARATOR) + SEPARATOR.length(), text.length() - 1);
            int fence = between.indexOf('`');
            String name = (fence >= 0 ? between.substring(0, fence) : between).strip();
            if (name.isEmpty()) {
                name = head.strip();
            }
            if (name.isEmpty() || name.chars().anyMatch(Character::isWhitespace)) {
                giveBack();
                return;
            }
            sink.call(name);
            text.setLength(0);
            span = new JsonSpan();
            at = At.ARGUMENTS;
            free(c);
        }

        private void mark(String mark) {
            switch (at) {
                case CONTENT, REST -> between(mark);
                case HEAD -> {
                    if (mark.equals(SEPARATOR)) {
                        head = text.substring(text.lastIndexOf(BEGIN) + BEGIN.length());
                        text.append(mark);
                        at = At.FENCE;
                    } else {
                        giveBack();
                        between(mark);
                    }
                }
                case FENCE -> {
                    giveBack();
                    between(mark);
                }
                case ARGUMENTS -> throw new IllegalStateException("arguments end before a mark");
            }
        }

        private void between(String mark) {
            switch (mark) {
                case BEGIN -> {
                    text.append(BEGIN);
                    at = At.HEAD;
                }
                case ALL_BEGIN, ALL_END, END -> at = At.CONTENT;
                default -> sink.content(mark);
            }
        }

        private void giveBack() {
            sink.content(text);
            text.setLength(0);
            at = At.CONTENT;
        }
    }
}
