package org.maniple.kernel.engine;

/** Guesses how sequences go on. Used by the engine's thread alone; allocates nothing. */
@FunctionalInterface
interface Drafter {

    /** Guesses nothing. */
    Drafter NONE = (_, _) -> 0;

    /**
     * Guesses the next tokens of a sequence and writes them behind those that it has ({@link Sequence#tokens} from {@link Sequence#length} on).
     *
     * @param sequence one that has begun to answer
     * @param most how many there is room for, at least 1
     * @return how many there are, from 0 to {@code most}
     */
    int draft(Sequence sequence, int most);
}
