package org.maniple.serve.openai;

/**
 * Separates the reasoning from what comes after it, character by character. White space at the borders belongs to neither. Used by one
 * thread.
 */
final class ReasoningReader {

    /** Takes what it is separated into. */
    interface Sink {

        /** More of the reasoning. */
        void reasoning(CharSequence text);

        /** A character of what comes after. */
        void answer(char c);
    }

    private enum At {
        /** Before anything: there may be an opening mark. */
        START,
        /** Inside, before its first word. */
        OPENED,
        /** Inside. */
        INSIDE,
        /** After the closing mark, or where there is no reasoning. */
        AFTER
    }

    private final Sink sink;
    private final ReasoningFormat format;
    private final MarkFinder marks;
    private final StringBuilder free = new StringBuilder();
    private final StringBuilder space = new StringBuilder();
    private boolean marked;
    private boolean begun;
    private At at;

    ReasoningReader(ReasoningFormat format, boolean inside, Sink sink) {
        this.format = format;
        this.sink = sink;
        this.marks = new MarkFinder(format.begin(), format.end());
        this.at = inside ? At.OPENED : At.START;
        this.begun = inside;
    }

    /** Whether there has been a reasoning, even an empty one. */
    boolean hasBegun() {
        return begun;
    }

    /** Whether what has come so far ends inside of the reasoning. */
    boolean isInside() {
        return at == At.OPENED || at == At.INSIDE;
    }

    void take(char c) {
        if (at == At.AFTER) {
            sink.answer(c);
            return;
        }
        String mark = marks.take(c, free);
        passFree();
        if (at == At.AFTER) {
            marks.finish(free);
            passFree();
        } else if (mark != null) {
            mark(mark, mark.equals(format.begin()));
        }
    }

    private void mark(String mark, boolean begin) {
        switch (at) {
            case START -> {
                if (begin) {
                    space.setLength(0);
                    marked = true;
                    begun = true;
                    at = At.OPENED;
                } else {
                    passMark(mark);
                }
            }
            case OPENED -> {
                if (!begin) {
                    end();
                } else if (marked) {
                    passMark(mark);
                } else {
                    marked = true;
                }
            }
            case INSIDE -> {
                if (begin) {
                    passMark(mark);
                } else {
                    end();
                }
            }
            case AFTER -> passMark(mark);
        }
    }

    void finish() {
        marks.finish(free);
        passFree();
        if (at == At.START) {
            answer(space);
        }
    }

    private void end() {
        space.setLength(0);
        at = At.AFTER;
    }

    private void passMark(String mark) {
        mark.chars().forEach(c -> pass((char) c));
    }

    private void passFree() {
        for (int i = 0; i < free.length(); i++) {
            pass(free.charAt(i));
        }
        free.setLength(0);
    }

    private void pass(char c) {
        boolean blank = CallObject.isSpace(c);
        switch (at) {
            case START -> {
                space.append(c);
                if (!blank) {
                    at = At.AFTER;
                    answer(space);
                }
            }
            case OPENED -> {
                if (!blank) {
                    at = At.INSIDE;
                    sink.reasoning(String.valueOf(c));
                }
            }
            case INSIDE -> {
                space.append(c);
                if (!blank) {
                    sink.reasoning(space);
                    space.setLength(0);
                }
            }
            case AFTER -> sink.answer(c);
        }
    }

    private void answer(StringBuilder held) {
        for (int i = 0; i < held.length(); i++) {
            sink.answer(held.charAt(i));
        }
        held.setLength(0);
    }
}
