package org.maniple.kernel.structured;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.maniple.api.engine.OutputConstraint;
import org.maniple.api.text.TextCodec;

/**
 * Compiles constraints for one vocabulary, and keeps those that were used last. Time and size are bounded. Safe for use by several threads.
 */
public final class ConstraintCompiler {

    private static final int KEPT = 32;
    private static final int KEPT_TREES = 2;

    private final TextCodec codec;
    private final int vocabulary;
    /** By the special tokens that stand for their text. */
    private final Map<Set<Integer>, TokenTree> trees = new LinkedHashMap<>(); // guarded by itself

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
        var compiled = new CompiledConstraint(Constraints.automaton(constraint), tree(marks(constraint)));
        synchronized (kept) {
            CompiledConstraint earlier = kept.putIfAbsent(constraint, compiled);
            if (kept.size() > KEPT) {
                kept.remove(kept.keySet().iterator().next());
            }
            return earlier == null ? compiled : earlier;
        }
    }

    /** The marks of a reasoning that are special tokens: a model writes them, though it may write no others. */
    private Set<Integer> marks(OutputConstraint constraint) {
        return constraint instanceof OutputConstraint.AfterReasoning after
                ? Stream.of(codec.id(after.begin()), codec.id(after.end())).flatMapToInt(OptionalInt::stream).boxed()
                        .filter(codec::special).collect(Collectors.toUnmodifiableSet())
                : Set.of();
    }

    /** Built when it is first needed. */
    private TokenTree tree(Set<Integer> written) {
        synchronized (trees) {
            TokenTree known = trees.get(written);
            if (known == null) {
                known = new TokenTree(codec, vocabulary, written);
                if (trees.size() == KEPT_TREES) {
                    trees.remove(trees.keySet().iterator().next());
                }
                trees.put(written, known);
            }
            return known;
        }
    }
}
