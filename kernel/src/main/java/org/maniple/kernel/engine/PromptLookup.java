package org.maniple.kernel.engine;

/**
 * Guesses that what followed the last tokens where they occurred before follows them again: texts that are summed up, corrected or
 * translated into code are repeated in large part. Of the places that agree longest with the end the last one counts. Looks at every token of
 * the sequence once, which is nothing beside attention, which reads some hundred bytes of each.
 *
 * @param shortest so many tokens must be the same at least
 * @param longest so many are compared at most
 */
record PromptLookup(int shortest, int longest) implements Drafter {

    @Override
    public int draft(Sequence sequence, int most) {
        int[] tokens = sequence.tokens();
        int length = sequence.length();
        int best = shortest - 1;
        int from = 0;
        for (int end = length - 1; end >= shortest && best < longest; end--) {
            int same = same(tokens, end, length);
            if (same > best) {
                best = same;
                from = end;
            }
        }
        if (from == 0) {
            return 0;
        }
        for (int i = 0; i < most; i++) {
            // Behind the end of what is known the guesses themselves go on: a period repeats itself.
            tokens[length + i] = tokens[from + i];
        }
        return most;
    }

    /** How many tokens before two places are the same, as far as they are compared. */
    private int same(int[] tokens, int end, int length) {
        int most = Math.min(longest, end);
        int count = 0;
        while (count < most && tokens[end - 1 - count] == tokens[length - 1 - count]) {
            count++;
        }
        return count;
    }
}
