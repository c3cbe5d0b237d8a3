package org.maniple.tokenizer.hf;

import org.jspecify.annotations.Nullable;

/** A test: {@code input is name(arguments)}. */
interface ValueTest {
    boolean test(@Nullable Object input, CallArguments arguments, Evaluator evaluator);
}
