package org.maniple.api.text;

/** Turns the tokens of one sequence into text as they come. Not safe for use by several threads. */
public interface IncrementalDecoder {

    /**
     * Takes a token.
     *
     * @param id the next token id
     * @return the text that is now certain; empty while a character is incomplete
     */
    String push(int id);

    /**
     * Ends the sequence.
     *
     * @return what was held back, with U+FFFD for a character that never became whole
     */
    String finish();
}
