package org.maniple.serve.openai;

import java.util.List;

/**
 * The calls of Hermes and Qwen: {@code <tool_call>{"name": …, "arguments": {…}}</tool_call>}, one object in each pair of tags. As the
 * tags say what is meant, any name is taken.
 */
final class HermesFormat implements ToolCallFormat {

    private static final String BEGIN = "<tool_call>";
    private static final String END = "</tool_call>";

    @Override
    public List<String> marks() {
        return List.of(BEGIN, END);
    }

    @Override
    public CallReader open(List<Tool> tools, CallSink sink) {
        return new Reader(sink);
    }

    private static final class Reader implements CallReader {

        private enum At {
            CONTENT, OBJECT, REST
        }

        private final CallSink sink;
        private final MarkFinder marks = new MarkFinder(BEGIN, END);
        private final StringBuilder free = new StringBuilder();
        private CallObject object;
        private At at = At.CONTENT;

        Reader(CallSink sink) {
            this.sink = sink;
            this.object = next();
        }

        @Override
        public void take(char c) {
            switch (at) {
                case CONTENT, REST -> outside(c);
                case OBJECT -> {
                    switch (object.take(c)) {
                        case OPEN -> {
                        }
                        case DONE -> at = At.REST;
                        case NONE -> giveBack();
                        case CUT -> {
                            at = At.REST;
                            outside(c);
                        }
                    }
                }
            }
        }

        @Override
        public void finish() {
            if (at == At.OBJECT && !object.isCall()) {
                giveBack();
            }
            marks.finish(free);
            passFree();
        }

        /** Between an object and its closing tag there is nothing that anybody could use. */
        private void outside(char c) {
            String mark = marks.take(c, free);
            passFree();
            if (mark == null) {
                return;
            }
            if (mark.equals(BEGIN)) {
                object = next();
                at = At.OBJECT;
            } else if (at == At.REST) {
                at = At.CONTENT;
            } else {
                sink.content(mark);
            }
        }

        private void passFree() {
            if (at == At.CONTENT) {
                sink.content(free);
            }
            free.setLength(0);
        }

        private void giveBack() {
            sink.content(BEGIN);
            sink.content(object.text());
            at = At.CONTENT;
        }

        private CallObject next() {
            return new CallObject(sink, name -> true, false);
        }
    }
}
