package org.maniple.serve.openai;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Finds marks in a text that comes character by character, holding back what may be the beginning of one. No mark may be the beginning
 * of another.
 */
final class MarkFinder {

    private final List<String> marks;
    private final StringBuilder held = new StringBuilder();

    MarkFinder(String... marks) {
        this.marks = List.of(marks);
    }

    /**
     * Takes a character.
     *
     * @param free gets the characters that are now certain to belong to no mark
     * @return the mark that is now complete
     */
    @Nullable
    String take(char c, StringBuilder free) {
        held.append(c);
        while (!held.isEmpty() && !begins()) {
            free.append(held.charAt(0));
            held.deleteCharAt(0);
        }
        for (String mark : marks) {
            if (mark.length() == held.length()) {
                if (mark.contentEquals(held)) {
                    held.setLength(0);
                    return mark;
                }
            }
        }
        return null;
    }

    /** There are no more characters: what was held back is free. */
    void finish(StringBuilder free) {
        free.append(held);
        held.setLength(0);
    }

    private boolean begins() {
        for (String mark : marks) {
            if (begins(mark)) {
                return true;
            }
        }
        return false;
    }

    private boolean begins(String mark) {
        if (held.length() > mark.length()) {
            return false;
        }
        for (int i = 0; i < held.length(); i++) {
            if (held.charAt(i) != mark.charAt(i)) {
                return false;
            }
        }
        return true;
    }
}
