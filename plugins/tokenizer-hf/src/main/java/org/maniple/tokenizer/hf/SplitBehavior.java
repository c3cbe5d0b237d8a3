package org.maniple.tokenizer.hf;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** What becomes of the matches that cut a text. */
enum SplitBehavior {
    REMOVED, ISOLATED, MERGED_WITH_PREVIOUS, MERGED_WITH_NEXT, CONTIGUOUS;

    static SplitBehavior read(JsonField field) {
        return switch (field.string()) {
            case "Removed" -> REMOVED;
            case "Isolated" -> ISOLATED;
            case "MergedWithPrevious" -> MERGED_WITH_PREVIOUS;
            case "MergedWithNext" -> MERGED_WITH_NEXT;
            case "Contiguous" -> CONTIGUOUS;
            default -> throw field
                    .error("unknown behaviour; known are Removed, Isolated, MergedWithPrevious, MergedWithNext, Contiguous");
        };
    }

    private record Span(int start, int end, boolean match) {}

    /** Cuts {@code piece} at the matches of {@code pattern} (with {@code invert}: at everything else) and hands on the parts. */
    void split(Piece piece, TextPattern pattern, boolean invert, Consumer<Piece> parts) {
        var text = piece.text();
        for (var span : arrange(spans(text, pattern, invert))) {
            if (span.start < span.end) {
                parts.accept(new Piece(text.substring(span.start, span.end), piece.first() && span.start == 0));
            }
        }
    }

    private static List<Span> spans(String text, TextPattern pattern, boolean invert) {
        var spans = new ArrayList<Span>();
        int[] done = {0};
        pattern.find(text, (start, end) -> {
            if (start > done[0]) {
                spans.add(new Span(done[0], start, invert));
            }
            spans.add(new Span(start, end, !invert));
            done[0] = end;
        });
        if (done[0] < text.length()) {
            spans.add(new Span(done[0], text.length(), invert));
        }
        return spans;
    }

    private List<Span> arrange(List<Span> spans) {
        return switch (this) {
            case ISOLATED -> spans;
            case REMOVED -> spans.stream().filter(span -> !span.match).toList();
            case CONTIGUOUS -> joined(spans, (left, right) -> left.match == right.match);
            case MERGED_WITH_PREVIOUS -> joined(spans, (left, right) -> right.match && !left.match);
            case MERGED_WITH_NEXT -> joinedFromTheRight(spans);
        };
    }

    private interface Joins {
        boolean test(Span left, Span right);
    }

    /** Joins neighbours; {@code joins} sees the span just before, not what it was joined to. */
    private static List<Span> joined(List<Span> spans, Joins joins) {
        var out = new ArrayList<Span>();
        Span previous = null;
        for (var span : spans) {
            if (previous != null && joins.test(previous, span)) {
                var last = out.removeLast();
                out.add(new Span(last.start, span.end, span.match));
            } else {
                out.add(span);
            }
            previous = span;
        }
        return out;
    }

    private static List<Span> joinedFromTheRight(List<Span> spans) {
        var out = new ArrayList<Span>();
        Span next = null;
        for (var span : spans.reversed()) {
            if (next != null && span.match && !next.match) {
                var last = out.removeLast();
                out.add(new Span(span.start, last.end, span.match));
            } else {
                out.add(span);
            }
            next = span;
        }
        return out.reversed();
    }
}
