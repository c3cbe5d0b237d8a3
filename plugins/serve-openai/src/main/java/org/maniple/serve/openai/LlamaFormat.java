package org.maniple.serve.openai;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The calls of Llama 3: an answer that begins with {@code {"name": …, "parameters": {…}}}, after {@code <|python_tag|>} or not; several
 * are separated by semicolons. An object may as well be an answer in JSON, so it is a call only if it has the name of a tool and
 * parameters.
 */
final class LlamaFormat implements ToolCallFormat {

    private static final String TAG = "<|python_tag|>";

    @Override
    public List<String> marks() {
        return List.of(TAG);
    }

    @Override
    public CallReader open(List<Tool> tools, CallSink sink) {
        return new Reader(tools, sink);
    }

    private static final class Reader implements CallReader {

        private final List<Tool> tools;
        private final CallSink sink;
        private final MarkFinder tag = new MarkFinder(TAG);
        private final StringBuilder before = new StringBuilder();
        private final StringBuilder free = new StringBuilder();
        private @Nullable CallObject object;
        private boolean called;
        private boolean plain;

        Reader(List<Tool> tools, CallSink sink) {
            this.tools = tools;
            this.sink = sink;
        }

        @Override
        public void take(char c) {
            if (plain) {
                sink.content(String.valueOf(c));
            } else if (object == null) {
                between(c);
            } else {
                inObject(object, c);
            }
        }

        @Override
        public void finish() {
            tag.finish(free);
            if (!free.isEmpty()) {
                goPlain(free);
            } else if (object != null && !object.isCall()) {
                goPlain(object.text());
            } else if (!called) {
                goPlain("");
            }
        }

        private void between(char c) {
            if (tag.take(c, free) != null) {
                before.append(TAG);
                return;
            }
            for (int i = 0; i < free.length(); i++) {
                char next = free.charAt(i);
                if (object != null || next == '{') {
                    // A brace is in no mark, so it is the last free character.
                    object = new CallObject(sink, name -> tools.stream().anyMatch(tool -> tool.name().equals(name)), true);
                    object.take(next);
                } else if (CallObject.isSpace(next) || called && next == ';') {
                    before.append(next);
                } else {
                    String rest = free.substring(i);
                    free.setLength(0);
                    goPlain(rest);
                    return;
                }
            }
            free.setLength(0);
        }

        private void inObject(CallObject current, char c) {
            switch (current.take(c)) {
                case OPEN -> {
                    if (current.isCall()) {
                        called = true;
                        before.setLength(0);
                    }
                }
                case DONE -> {
                    called = true;
                    object = null;
                }
                case NONE -> goPlain(current.text());
                case CUT -> {
                    before.setLength(0);
                    goPlain(String.valueOf(c));
                }
            }
        }

        private void goPlain(CharSequence rest) {
            plain = true;
            object = null;
            sink.content(before);
            sink.content(rest);
            before.setLength(0);
            StringBuilder held = new StringBuilder();
            tag.finish(held);
            sink.content(held);
        }
    }
}
