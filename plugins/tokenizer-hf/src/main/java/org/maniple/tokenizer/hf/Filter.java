package org.maniple.tokenizer.hf;

import org.jspecify.annotations.Nullable;

/** A filter: {@code input | name(arguments)}. */
interface Filter {
    @Nullable
    Object apply(@Nullable Object input, CallArguments arguments, Evaluator evaluator);
}
