package org.maniple.kernel.program;

import java.util.ArrayList;
import java.util.List;
import org.maniple.api.graph.Axes;
import org.maniple.api.graph.Axis;
import org.maniple.api.graph.PartialKind;

/**
 * How the rows of experts are made and summed. Where a rule splits experts over a dimension, a rank makes the rows of its own experts: of all tokens,
 * which are gathered before, or of those that are brought to it. Sums over experts that several ranks have are partial, or rows go back to where
 * their tokens live.
 */
final class ExpertPlacing {

    /**
     * A choice.
     *
     * @param tokens how the tokens and their choices have to lie
     * @param result how the rows, or the sums, will lie
     * @param along the dimensions along which rows are brought to other ranks
     */
    record Choice(Layout tokens, Layout result, List<Integer> along) {
        Choice {
            along = List.copyOf(along);
        }
    }

    private final UnitTable units;
    private final CompileOptions options;

    ExpertPlacing(UnitTable units, CompileOptions options) {
        this.units = units;
        this.options = options;
    }

    /** How rows are made from tokens that lie in some way. */
    Choice dispatch(Layout x) {
        List<Integer> experts = dimensions(Axes.EXPERTS);
        List<Integer> columns = experts.isEmpty() ? dimensions(Axes.EXPERT_FFN) : List.of();
        var along = new ArrayList<Integer>();
        Layout tokens = x;
        Layout pairs = Layout.whole(x.placements().size());
        for (int dimension = 0; dimension < x.placements().size(); dimension++) {
            boolean split = splitsTokens(x, dimension);
            if (!experts.contains(dimension)) {
                boolean stays = split && !columns.contains(dimension);
                tokens = tokens.with(dimension, stays ? new Placement.Split(Axes.TOKENS) : Placement.WHOLE);
                pairs = pairs.with(dimension, tokens.at(dimension));
                continue;
            }
            pairs = pairs.with(dimension, new Placement.Split(Axes.EXPERTS));
            if (split && !options.gathers()) {
                along.add(dimension);
            } else {
                tokens = tokens.with(dimension, Placement.WHOLE);
            }
        }
        return new Choice(tokens, pairs, along);
    }

    /**
     * How rows are summed.
     *
     * @param pairs how they lie
     * @param brought the dimensions along which they were brought to their ranks
     */
    Choice combine(Layout pairs, List<Integer> brought) {
        var along = new ArrayList<Integer>();
        Layout tokens = Layout.whole(pairs.placements().size());
        Layout sums = tokens;
        for (int dimension = 0; dimension < pairs.placements().size(); dimension++) {
            switch (pairs.at(dimension)) {
                case Placement.Replicated whole -> {
                }
                case Placement.Partial partial -> sums = sums.with(dimension, partial);
                case Placement.Split split when split.axis().equals(Axes.EXPERTS) -> {
                    boolean back = options.expertOrder() || brought.contains(dimension);
                    if (back) {
                        along.add(dimension);
                        tokens = tokens.with(dimension, new Placement.Split(Axes.TOKENS));
                        sums = sums.with(dimension, new Placement.Split(Axes.TOKENS));
                    } else {
                        sums = sums.with(dimension, new Placement.Partial(PartialKind.SUM));
                    }
                }
                case Placement.Split split -> {
                    sums = sums.with(dimension, split);
                    if (Axes.ofTokens(split.axis())) {
                        tokens = tokens.with(dimension, split);
                    }
                }
            }
        }
        return new Choice(tokens, sums, along);
    }

    private List<Integer> dimensions(Axis axis) {
        return units.rule(axis).map(units::dimensions).orElse(List.of());
    }

    private static boolean splitsTokens(Layout layout, int dimension) {
        return layout.at(dimension) instanceof Placement.Split split && Axes.ofTokens(split.axis());
    }
}
