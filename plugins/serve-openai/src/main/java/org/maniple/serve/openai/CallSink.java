package org.maniple.serve.openai;

/** Takes what a {@link CallReader} finds. */
interface CallSink {

    /** Text that belongs to no call. */
    void content(CharSequence text);

    /** A call begins. */
    void call(String name);

    /** More of the arguments of the last call. */
    void arguments(CharSequence piece);
}
