package org.maniple.kernel.engine;

import java.util.List;
import java.util.Optional;

/**
 * Finds stop texts in a text that arrives in pieces, and lets no part of one out before it is known not to be one. The match that ends first
 * counts, and of those the longest: so the result does not depend on how the text was cut.
 */
final class StopScanner {

    private final List<String> stops;
    private final boolean include;
    private final StringBuilder held = new StringBuilder();
    private int ignored;
    private Optional<String> found = Optional.empty();

    /**
     * A scanner for one text.
     *
     * @param stops the stop texts, none empty
     * @param include whether a stop text is part of the text that is let out
     */
    StopScanner(List<String> stops, boolean include) {
        this.stops = stops;
        this.include = include;
    }

    /**
     * Takes the next piece; not to be called after a stop text was found.
     *
     * @param text the piece
     * @param armed whether a stop text that ends in this piece counts
     * @return what may be let out
     */
    String append(String text, boolean armed) {
        if (stops.isEmpty()) {
            return text;
        }
        held.append(text);
        if (armed) {
            find();
        } else {
            ignored = held.length();
        }
        if (found.isPresent()) {
            return letOut(held.length());
        }
        return letOut(held.length() - possibleStop());
    }

    /** The end of the text: what was held back. */
    String finish() {
        return letOut(held.length());
    }

    /** The stop text that was found. */
    Optional<String> found() {
        return found;
    }

    private String letOut(int length) {
        String out = held.substring(0, length);
        held.delete(0, length);
        ignored = Math.max(0, ignored - length);
        return out;
    }

    /** Cuts the text at the match that ends first. */
    private void find() {
        int end = Integer.MAX_VALUE;
        int length = 0;
        for (String stop : stops) {
            int at = held.indexOf(stop, Math.max(0, ignored - stop.length() + 1));
            if (at >= 0 && (at + stop.length() < end || at + stop.length() == end && stop.length() > length)) {
                end = at + stop.length();
                length = stop.length();
                found = Optional.of(stop);
            }
        }
        if (found.isPresent()) {
            held.setLength(include ? end : end - length);
        }
    }

    /** The length of the longest end of the text with which a stop text begins. */
    private int possibleStop() {
        int longest = 0;
        for (String stop : stops) {
            for (int length = Math.min(stop.length() - 1, held.length()); length > longest; length--) {
                if (endsWith(stop, length)) {
                    longest = length;
                }
            }
        }
        return longest;
    }

    private boolean endsWith(String stop, int length) {
        int from = held.length() - length;
        for (int i = 0; i < length; i++) {
            if (held.charAt(from + i) != stop.charAt(i)) {
                return false;
            }
        }
        return true;
    }
}
