package org.maniple.tokenizer.hf;

/** What one rendering may still use. A chat template comes with a model, but what it is run on comes from users. */
final class RenderBudget {
    static final int LARGEST_TEXT = 4 << 20;
    static final int LONGEST_LIST = 1_000_000;
    private static final int STEPS = 2_000_000;
    private static final int DEEPEST = 700;
    private static final int DEEPEST_CALL = 64;
    private static final int CHARACTERS_PER_STEP = 16;
    private static final int STEPS_PER_TURN = 4;

    private long steps = STEPS;
    private int depth;
    private int calls;

    /** One statement or expression. */
    void enter() {
        step();
        if (++depth > DEEPEST) {
            throw TemplateException.limit("statements and calls are nested more than " + DEEPEST + " deep");
        }
    }

    void leave() {
        depth--;
    }

    void step() {
        work(1);
    }

    /** One turn of a loop. */
    void turn() {
        work(STEPS_PER_TURN);
    }

    void work(long amount) {
        steps -= amount;
        if (steps < 0) {
            throw TemplateException.limit("takes more than " + STEPS + " steps");
        }
    }

    /** Enters a macro or a deeper level of a recursive loop. */
    void enterCall() {
        if (++calls > DEEPEST_CALL) {
            throw TemplateException.limit("macros and recursive loops are nested more than " + DEEPEST_CALL + " deep");
        }
    }

    void leaveCall() {
        calls--;
    }

    /** A text of this length is about to be made. */
    void text(long length) {
        if (length > LARGEST_TEXT) {
            throw TemplateException.limit("makes a text of more than " + LARGEST_TEXT + " characters");
        }
        work(length / CHARACTERS_PER_STEP);
    }

    /** A list of this length is about to be made or gone through. */
    void list(long length) {
        if (length > LONGEST_LIST) {
            throw TemplateException.limit("makes or goes through a list of more than " + LONGEST_LIST + " elements");
        }
        work(length / CHARACTERS_PER_STEP);
    }

    String made(String text) {
        text(text.length());
        return text;
    }
}
