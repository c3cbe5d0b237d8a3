package org.maniple.kernel.structured;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.maniple.api.engine.OutputConstraint;
import org.maniple.api.text.TextCodec;

/**
 * Compiles constraints for one vocabulary, and keeps those that were used last. Time and size are bounded. Safe for use by several threads.
 */
public final class ConstraintCompiler {

    private static final int KEPT = 32;

    private final TextCodec codec;
    private final int vocabulary;
    private final Object treeLock = new Object();
    private @Nullable TokenTree tree; // guarded by treeLock

    private final Map<OutputConstraint, CompiledConstraint> kept = new LinkedHashMap<>(KEPT, 0.75f, true); // guarded by itself

    /**
     * A compiler.
     *
     * @param codec the tokenizer
     * @param vocabulary token ids of the model
     */
    public ConstraintCompiler(TextCodec codec, int vocabulary) {
        this.codec = codec;
        this.vocabulary = vocabulary;
    }

    /**
     * A guide for a new output.
     *
     * @param constraint what the output must be
     * @return a guide whose first work is due
     * @throws ConstraintException if it cannot be compiled; says why
     */
    public Guide guide(OutputConstraint constraint) {
        return new Guide(compiled(constraint));
    }

    CompiledConstraint compiled(OutputConstraint constraint) {
        synchronized (kept) {
            CompiledConstraint known = kept.get(constraint);
            if (known != null) {
                return known;
            }
        }
        var compiled = new CompiledConstraint(Constraints.automaton(constraint), tree());
        synchronized (kept) {
            CompiledConstraint earlier = kept.putIfAbsent(constraint, compiled);
            if (kept.size() > KEPT) {
                kept.remove(kept.keySet().iterator().next());
            }
            return earlier == null ? compiled : earlier;
        }
    }

    /** Built when it is first needed. */
    private TokenTree tree() {
        synchronized (treeLock) {
            TokenTree known = tree;
            if (known == null) {
                known = new TokenTree(codec, vocabulary);
                tree = known;
            }
            return known;
        }
    }
}
