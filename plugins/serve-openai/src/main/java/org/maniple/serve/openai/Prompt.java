package org.maniple.serve.openai;

import java.util.Optional;

/**
 * What is to be continued.
 *
 * @param tokens its token ids
 * @param text the text that came with the request, if it was a text
 */
record Prompt(int[] tokens, Optional<String> text) {}
