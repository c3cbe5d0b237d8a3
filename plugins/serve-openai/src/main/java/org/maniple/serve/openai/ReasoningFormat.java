package org.maniple.serve.openai;

import java.util.List;

/**
 * How a family of models writes what it thinks before it answers.
 *
 * @param begin the mark before it
 * @param end the mark after it
 * @param always whether an answer begins inside of it even where neither the prompt nor the answer has the opening mark
 */
record ReasoningFormat(String begin, String end, boolean always) {

    List<String> marks() {
        return List.of(begin, end);
    }

    /** Whether an answer to a prompt begins inside of the reasoning. */
    boolean beginsInside(ChatPrompt prompt) {
        if (!prompt.echo().isEmpty()) {
            int last = prompt.echo().lastIndexOf(end);
            return last < 0 && always || prompt.echo().lastIndexOf(begin) > last;
        }
        String text = prompt.text().stripTrailing();
        return text.endsWith(begin) || always && !text.endsWith(end);
    }

    /** Whether the reasoning of an answer is in the prompt as a whole, so that the answer has none. */
    boolean isOver(ChatPrompt prompt) {
        String text = prompt.echo().isEmpty() ? prompt.text().stripTrailing() : prompt.echo();
        int last = text.lastIndexOf(end);
        return prompt.echo().isEmpty() ? text.endsWith(end) : last >= 0 && text.lastIndexOf(begin) < last;
    }
}
