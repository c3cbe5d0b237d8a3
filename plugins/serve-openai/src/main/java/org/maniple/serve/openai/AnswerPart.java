package org.maniple.serve.openai;

/** A piece of an answer. The pieces of one kind, put together in their order, are the answer, however it was cut into pieces. */
sealed interface AnswerPart {

    /** More of what the model thinks before it answers. */
    record Reasoning(String text) implements AnswerPart {}

    /** More of what it says. */
    record Content(String text) implements AnswerPart {}

    /**
     * A call of a tool begins.
     *
     * @param index its number in the answer, from 0
     * @param id its id
     * @param name the tool's name
     */
    record Call(int index, String id, String name) implements AnswerPart {}

    /**
     * More of the arguments of a call, which are together the text of a JSON object if the model wrote one.
     *
     * @param index the call's number
     * @param text the piece
     */
    record Arguments(int index, String text) implements AnswerPart {}
}
