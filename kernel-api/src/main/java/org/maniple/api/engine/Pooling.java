package org.maniple.api.engine;

/** What a request that is not to generate anything wants of its prompt: one vector, from what the model knows after its last norm. */
public enum Pooling {
    /** What it knows at the last token, which has seen all others. */
    LAST,
    /** The mean over all tokens. */
    MEAN
}
