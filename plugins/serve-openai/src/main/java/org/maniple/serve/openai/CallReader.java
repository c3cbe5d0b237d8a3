package org.maniple.serve.openai;

/**
 * Finds calls in what a model writes, character by character: what has been found after some characters depends on them alone, so
 * that it does not matter in which pieces they come. Used by one thread.
 */
interface CallReader {

    /** Takes the next character. */
    void take(char c);

    /** There are no more characters; what was held back goes to the sink. */
    void finish();
}
