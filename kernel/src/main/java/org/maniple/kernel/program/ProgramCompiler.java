package org.maniple.kernel.program;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.maniple.api.graph.Axes;
import org.maniple.api.graph.Axis;
import org.maniple.api.graph.BuiltinOp;
import org.maniple.api.graph.ModelGraph;
import org.maniple.api.graph.Node;
import org.maniple.api.graph.Operand;
import org.maniple.api.graph.Value;
import org.maniple.api.mesh.AxisRule;
import org.maniple.api.mesh.ExpertPlacement;
import org.maniple.api.mesh.Mesh;
import org.maniple.api.mesh.MeshDimension;
import org.maniple.api.mesh.Splitter;
import org.maniple.api.mesh.UnitCost;
import org.maniple.api.tensor.UnitList;
import org.maniple.kernel.program.Instruction.Need;
import org.maniple.kernel.program.Instruction.SeamKind;

/**
 * Composes a graph and the rules of the parallelisms. Walks the operations once, in order; see {@link NodePlacement} for the rule that
 * places each of them. What an operation needs and what is there differ by seams, which are inserted before it. The same on every rank.
 */
public final class ProgramCompiler {

    /** Fewest bytes: what is scattered first is small when the rest is summed. */
    private static final List<SeamKind> SCATTERED_SUMS_FIRST = List.of(SeamKind.SLICE, SeamKind.MERGE, SeamKind.REDUCE_SCATTER,
            SeamKind.ALL_REDUCE, SeamKind.ALL_GATHER);
    /** Inner dimensions first, so that sums over two of them follow the same tree as a sum over one. */
    private static final List<SeamKind> INNER_SUMS_FIRST = List.of(SeamKind.SLICE, SeamKind.MERGE, SeamKind.ALL_REDUCE,
            SeamKind.REDUCE_SCATTER, SeamKind.ALL_GATHER);

    private final ModelGraph graph;
    private final Mesh mesh;
    private final List<MeshDimension> placed;
    private final UnitTable units;
    private final List<UnitList> stages;
    private final Optional<MeshDimension> stageDimension;

    private final CompileOptions options;
    private final BlockGrid blocks;
    private final ExpertLookup lookup;
    private final ExpertPlacing experts;
    /** For each value whose rows are those of experts, the dimensions along which the rows were brought to their ranks. */
    private final Map<Value, List<Integer>> brought = new HashMap<>();
    private final List<Instruction> code = new ArrayList<>();
    private final List<Integer> codeStages = new ArrayList<>();
    private final Map<Operand, List<Piece>> pieces = new HashMap<>();
    private final Map<Operand, Integer> producers = new HashMap<>();
    private int nextPiece;
    private int stage;

    /** Says which rank has which experts, where a parallelism decides about that. */
    @FunctionalInterface
    public interface ExpertLookup {
        /**
         * The placement of a block's experts.
         *
         * @param layer the block
         * @param experts how many it has
         * @return a placement over the dimensions of the rule about experts; empty: what follows from the rule's splitter
         */
        Optional<ExpertPlacement> placement(int layer, int experts);
    }

    /**
     * Prepares to compile, for results that may depend on the layout by rounding.
     *
     * @param graph the model
     * @param mesh the ranks
     * @param rules what is split over what, in order
     * @throws org.maniple.api.mesh.SplitException if an axis cannot be split as the configuration asks
     */
    public ProgramCompiler(ModelGraph graph, Mesh mesh, List<AxisRule> rules) {
        this(graph, mesh, rules, CompileOptions.FAST, (layer, count) -> Optional.empty());
    }

    /**
     * Prepares to compile a model whose weights are not stored in blocks.
     *
     * @param graph the model
     * @param mesh the ranks
     * @param rules what is split over what, in order
     * @param options how
     * @param lookup which rank has which experts
     * @throws org.maniple.api.mesh.SplitException if an axis cannot be split as the configuration asks
     */
    public ProgramCompiler(ModelGraph graph, Mesh mesh, List<AxisRule> rules, CompileOptions options, ExpertLookup lookup) {
        this(graph, mesh, rules, options, lookup, BlockGrid.NONE);
    }

    /**
     * Prepares to compile.
     *
     * @param graph the model
     * @param mesh the ranks
     * @param rules what is split over what, in order
     * @param options how
     * @param lookup which rank has which experts
     * @param blocks along which axes weights are stored in blocks
     * @throws org.maniple.api.mesh.SplitException if an axis cannot be split as the configuration asks
     */
    public ProgramCompiler(ModelGraph graph, Mesh mesh, List<AxisRule> rules, CompileOptions options, ExpertLookup lookup,
            BlockGrid blocks) {
        this.blocks = blocks;
        this.options = options;
        this.lookup = lookup;
        this.graph = graph;
        this.mesh = mesh;
        List<AxisRule> cuts = rules.stream().filter(r -> r.axis().equals(Axes.LAYERS)).toList();
        if (cuts.size() > 1 || cuts.size() == 1 && cuts.getFirst().over().size() != 1) {
            throw new CompileException(
                    "the blocks can be split over one mesh dimension only; the enabled parallelisms have rules for "
                            + cuts.stream().map(AxisRule::over).toList());
        }
        this.stageDimension = cuts.stream().findFirst().map(r -> r.over().getFirst());
        this.stages = cuts.isEmpty() ? List.of(UnitList.range(0, graph.layers())) : cut(cuts.getFirst());
        this.placed = mesh.dimensions().stream()
                .filter(d -> mesh.size(d) > 1 && stageDimension.filter(d::equals).isEmpty())
                .toList();
        this.units = new UnitTable(graph, mesh, placed, rules.stream()
                .filter(r -> !r.axis().equals(Axes.LAYERS) && r.over().stream().anyMatch(placed::contains))
                .toList(), blocks);
        this.experts = new ExpertPlacing(units, options);
    }

    /**
     * Compiles.
     *
     * @return the program of the whole mesh
     * @throws CompileException if the graph cannot be spread so
     * @throws org.maniple.api.mesh.SplitException if an axis cannot be split as the configuration asks
     */
    public MeshProgram compile() {
        add(graph.ids(), units.fixed(graph.ids()));
        producers.put(graph.ids(), -1);
        int main = graph.draft().map(ModelGraph.Draft::firstNode).orElse(graph.nodes().size());
        graph.nodes().subList(0, main).forEach(this::placeInStage);
        Piece logits = whole(graph.logits(), Need.FULL_ROWS);
        Piece candidates = whole(graph.candidates(), Need.ALWAYS);
        Optional<Piece> hidden = graph.selected().map(value -> whole(value, Need.HIDDEN_ROWS));
        Optional<MeshProgram.Draft> draft = graph.draft().map(this::compileDraft);
        var program = new MeshProgram(graph, mesh, placed, stageDimension, stages, units, code, codeStages,
                new MeshProgram.Results(logits, candidates, hidden), draft, options, lookup, blocks);
        if (options.exact()) {
            LeafGrid.check(program);
        }
        return program;
    }

    private void placeInStage(Node node) {
        while (stage < stageOf(node)) {
            cross(node);
        }
        place(node);
    }

    /**
     * What is kept for guessing stays where its token lives, and otherwise is whole, since the rows of a pass are others than those of the step.
     */
    private MeshProgram.Draft compileDraft(ModelGraph.Draft draft) {
        Layout kept = Layout.whole(placed.size());
        for (int i = 0; i < placed.size(); i++) {
            if (units.scatters(Axes.TOKENS, i)) {
                kept = kept.with(i, new Placement.Split(Axes.TOKENS));
            }
        }
        Piece source = convert(draft.source(), kept, Need.ALWAYS);
        int from = code.size();
        Piece hidden = add(draft.hidden(), kept);
        producers.put(draft.hidden(), graph.layers());
        graph.nodes().subList(draft.firstNode(), graph.nodes().size()).forEach(this::placeInStage);
        return new MeshProgram.Draft(from, source, hidden, whole(draft.candidates(), Need.ALWAYS));
    }

    private List<UnitList> cut(AxisRule rule) {
        int parts = mesh.size(rule.over().getFirst());
        List<UnitList> cut = rule.splitter().split(new Splitter.Request(Axes.LAYERS, graph.layers(), parts, 1, UnitCost.EQUAL));
        int next = 0;
        for (UnitList part : cut) {
            if (part.ranges() != 1 || part.from(0) != next) {
                throw new CompileException("stages must be runs of following blocks, not " + cut);
            }
            next = part.to(0);
        }
        if (cut.size() != parts || next != graph.layers()) {
            throw new CompileException(graph.layers() + " blocks over " + parts + " stages cannot be " + cut);
        }
        return cut;
    }

    private int stageOf(Node node) {
        int layer = Math.clamp(node.layer(), 0, graph.layers() - 1);
        for (int i = 0; i < stages.size(); i++) {
            if (stages.get(i).contains(layer)) {
                return i;
            }
        }
        throw new IllegalStateException("block " + layer + " is in no stage of " + stages);
    }

    /** Sends to the next stage every value that it or a later one reads. */
    private void cross(Node first) {
        var crossing = new ArrayList<Piece>();
        for (Value value : liveAt(first)) {
            Piece piece = latest(value);
            crossing.add(piece);
            pieces.put(value, new ArrayList<>(List.of(piece)));
        }
        emit(new Instruction.Transfer(crossing, stage, first.layer()));
        stage++;
    }

    private List<Value> liveAt(Node first) {
        var live = new ArrayList<Value>();
        for (Node node : graph.nodes().subList(first.index(), graph.nodes().size())) {
            for (Operand input : node.inputs()) {
                if (input instanceof Value value && !value.equals(graph.ids()) && pieces.containsKey(value)
                        && !live.contains(value)) {
                    live.add(value);
                }
            }
        }
        return live;
    }

    private void place(Node node) {
        switch (node.op()) {
            case BuiltinOp.Dispatch dispatch -> dispatch(node);
            case BuiltinOp.Combine combine -> combine(node);
            default -> placeOrdinary(node);
        }
    }

    private void dispatch(Node node) {
        ExpertPlacing.Choice choice = experts.dispatch(resolved(node.inputs().getFirst()));
        Piece x = convert(node.inputs().get(0), choice.tokens(), Need.ALWAYS);
        Piece ids = convert(node.inputs().get(1), choice.tokens(), Need.ALWAYS);
        Piece weights = convert(node.inputs().get(2), choice.tokens(), Need.ALWAYS);
        Value pairs = node.outputs().getFirst();
        producers.put(pairs, node.layer());
        brought.put(pairs, choice.along());
        emit(new Instruction.Dispatch(node, choice.along(), x, ids, weights, add(pairs, choice.result())));
    }

    /** How a value lies once nothing in it is partial. */
    private Layout resolved(Operand operand) {
        Layout layout = latest(operand).layout();
        for (int i = 0; i < placed.size(); i++) {
            if (layout.at(i) instanceof Placement.Partial) {
                layout = layout.with(i, units.scatters(Axes.TOKENS, i) ? new Placement.Split(Axes.TOKENS) : Placement.WHOLE);
            }
        }
        return layout;
    }

    private void combine(Node node) {
        var value = (Value) node.inputs().getFirst();
        List<Integer> from = Objects.requireNonNull(brought.get(value), () -> value + " has no rows of experts");
        Layout current = latest(value).layout();
        Layout wanted = current;
        for (int i = 0; i < placed.size(); i++) {
            if (options.exact() && current.at(i) instanceof Placement.Partial) {
                wanted = wanted.with(i, Placement.WHOLE);
            }
        }
        Piece pairs = convert(value, wanted, Need.ALWAYS);
        ExpertPlacing.Choice choice = experts.combine(wanted, from);
        Piece ids = convert(node.inputs().get(1), choice.tokens(), Need.ALWAYS);
        Piece weights = convert(node.inputs().get(2), choice.tokens(), Need.ALWAYS);
        Value output = node.outputs().getFirst();
        producers.put(output, node.layer());
        Piece sums = add(output, choice.result());
        emit(choice.along().isEmpty()
                ? new Instruction.Local(node, List.of(pairs, ids, weights), List.of(sums))
                : new Instruction.Combine(node, choice.along(), options.expertOrder(), pairs, ids, weights, sums));
    }

    private void placeOrdinary(Node node) {
        List<Layout> current = node.inputs().stream().map(input -> latest(input).layout()).toList();
        NodePlacement.Choice choice = new NodePlacement(graph, units, placed.size(), options.exact(), node, current).choose();
        var inputs = new ArrayList<Piece>();
        for (int i = 0; i < node.inputs().size(); i++) {
            inputs.add(convert(node.inputs().get(i), choice.inputs().get(i), Need.ALWAYS));
        }
        var outputs = new ArrayList<Piece>();
        for (int i = 0; i < node.outputs().size(); i++) {
            producers.put(node.outputs().get(i), node.layer());
            outputs.add(add(node.outputs().get(i), choice.outputs().get(i)));
        }
        for (Operand input : node.inputs()) {
            if (input instanceof Value value && value.ragged()) {
                node.outputs().forEach(output -> brought.put(output, Objects.requireNonNull(brought.get(value))));
            }
        }
        emit(new Instruction.Local(node, inputs, outputs));
    }

    private Piece whole(Value value, Need need) {
        return convert(value, Layout.whole(placed.size()), need);
    }

    /** The piece in a layout: the one that is there, or the end of a chain of seams, each with one kind of exchange. */
    private Piece convert(Operand operand, Layout wanted, Need need) {
        for (Piece piece : pieces.getOrDefault(operand, List.of())) {
            if (piece.layout().equals(wanted)) {
                return piece;
            }
        }
        if (operand.equals(graph.ids())) {
            return add(operand, wanted);
        }
        Piece piece = latest(operand);
        Layout between = inner(piece.layout(), wanted);
        for (Layout next : between.equals(wanted) ? List.of(wanted) : List.of(between, wanted)) {
            for (SeamKind kind : options.exact() ? INNER_SUMS_FIRST : SCATTERED_SUMS_FIRST) {
                piece = exchange(piece, next, kind, need);
            }
        }
        if (!piece.layout().equals(wanted)) {
            throw new CompileException("no exchange leads from " + piece + " to " + wanted);
        }
        return piece;
    }

    /**
     * What a value passes through on its way: a home's part of a part of tokens is no part of all tokens, so that tokens that are split further than
     * by homes are gathered whole before they are split in another way.
     */
    private Layout inner(Layout from, Layout wanted) {
        Layout whole = from;
        boolean homesGathered = false;
        boolean partsKept = false;
        for (int i = 0; i < placed.size(); i++) {
            boolean split = from.at(i) instanceof Placement.Split s && Axes.ofTokens(s.axis());
            boolean stays = from.at(i).equals(wanted.at(i));
            if (split) {
                whole = whole.with(i, Placement.WHOLE);
                homesGathered |= !stays && units.scatters(Axes.TOKENS, i);
                partsKept |= stays && !units.scatters(Axes.TOKENS, i);
            }
        }
        return homesGathered && partsKept ? whole : wanted;
    }

    /** One exchange along all dimensions where it is this kind that leads from what is there to what is wanted. */
    private Piece exchange(Piece piece, Layout wanted, SeamKind kind, Need need) {
        var along = new ArrayList<Integer>();
        Layout after = piece.layout();
        Optional<Axis> axis = Optional.empty();
        for (int i = 0; i < placed.size(); i++) {
            Optional<Axis> here = axisOf(piece.layout().at(i), wanted.at(i));
            if (kind(piece.layout().at(i), wanted.at(i)) == kind && (along.isEmpty() || here.equals(axis))) {
                along.add(i);
                after = after.with(i, wanted.at(i));
                axis = axis.isPresent() ? axis : axisOf(piece.layout().at(i), wanted.at(i));
            }
        }
        if (along.isEmpty()) {
            return piece;
        }
        Piece result = add(piece.operand(), after);
        emit(new Instruction.Seam(kind, along, axis, piece, result, producers.getOrDefault(piece.operand(), -1),
                need));
        // Along other dimensions another axis may be concerned.
        return exchange(result, wanted, kind, need);
    }

    private static Optional<Axis> axisOf(Placement from, Placement to) {
        if (to instanceof Placement.Split split) {
            return Optional.of(split.axis());
        }
        return from instanceof Placement.Split split ? Optional.of(split.axis()) : Optional.empty();
    }

    /** The exchange that leads from one placement to another; null if they are equal or none does. */
    private static @org.jspecify.annotations.Nullable SeamKind kind(Placement from, Placement to) {
        if (from.equals(to)) {
            return null;
        }
        return switch (from) {
            case Placement.Replicated whole -> to instanceof Placement.Split ? SeamKind.SLICE : null;
            case Placement.Split split -> to instanceof Placement.Replicated ? SeamKind.ALL_GATHER : null;
            case Placement.Partial partial -> switch (partial.kind()) {
                case TOPK -> to instanceof Placement.Replicated ? SeamKind.MERGE : null;
                case SUM -> to instanceof Placement.Replicated
                        ? SeamKind.ALL_REDUCE
                        : to instanceof Placement.Split ? SeamKind.REDUCE_SCATTER : null;
            };
        };
    }

    /**
     * How an operand is at present: a parameter or state where it is fixed; a value as it was made, or, once it has been made whole or
     * scattered from partial results, as that.
     */
    private Piece latest(Operand operand) {
        List<Piece> known = pieces.get(operand);
        if (known == null) {
            return add(operand, units.fixed(operand));
        }
        return known.stream().filter(p -> !p.layout().partial()).findFirst().orElse(known.getLast());
    }

    private Piece add(Operand operand, Layout layout) {
        var piece = new Piece(nextPiece++, operand, layout);
        pieces.computeIfAbsent(operand, o -> new ArrayList<>()).add(piece);
        return piece;
    }

    private void emit(Instruction instruction) {
        code.add(instruction);
        codeStages.add(stage);
    }
}
