package org.maniple.kernel.program;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.maniple.api.graph.Axes;
import org.maniple.api.graph.Dim;
import org.maniple.api.graph.ModelGraph;
import org.maniple.api.graph.Parameter;
import org.maniple.api.graph.State;
import org.maniple.api.mesh.AxisRule;
import org.maniple.api.mesh.ExpertPlacement;
import org.maniple.api.mesh.Mesh;
import org.maniple.api.mesh.MeshDimension;
import org.maniple.api.tensor.UnitList;

/** A graph composed with a mesh: what the ranks of each stage do, and what each rank has. Immutable; the same on every rank. */
public final class MeshProgram {

    private final ModelGraph graph;
    private final Mesh mesh;
    private final List<MeshDimension> placed;
    private final Optional<MeshDimension> stageDimension;
    private final List<UnitList> stages;
    private final UnitTable units;
    private final List<Instruction> code;
    private final List<Integer> codeStages;
    private final Results results;
    private final Optional<Draft> draft;
    private final CompileOptions options;
    private final ProgramCompiler.ExpertLookup lookup;
    private final BlockGrid blocks;
    private final Map<Integer, ExpertPlacement> placements = new TreeMap<>();
    private final Map<Piece, Integer> weightLayers = new HashMap<>();

    /**
     * The part that guesses further tokens: the last instructions, which run in passes of their own on the ranks of the last stage.
     *
     * @param from the first of them
     * @param source what is kept of a step for such a pass, on the rank that has the token
     * @param hidden the rows of it that a pass goes on from, which lie as it does
     * @param candidates the merged candidates of a pass
     */
    public record Draft(int from, Piece source, Piece hidden, Piece candidates) {}

    MeshProgram(ModelGraph graph, Mesh mesh, List<MeshDimension> placed, Optional<MeshDimension> stageDimension,
            List<UnitList> stages,
            UnitTable units, List<Instruction> code, List<Integer> codeStages, Results results, Optional<Draft> draft,
            CompileOptions options, ProgramCompiler.ExpertLookup lookup, BlockGrid blocks) {
        this.blocks = blocks;
        this.graph = graph;
        this.mesh = mesh;
        this.placed = placed;
        this.stageDimension = stageDimension;
        this.stages = stages;
        this.units = units;
        this.code = List.copyOf(code);
        this.codeStages = List.copyOf(codeStages);
        this.results = results;
        this.draft = draft;
        this.options = options;
        this.lookup = lookup;
        for (Instruction instruction : code) {
            switch (instruction) {
                case Instruction.Dispatch dispatch -> {
                    Dim experts = dispatch.pairs().operand().dims().get(1);
                    placements.put(dispatch.layer(), placed(dispatch.layer(), experts));
                }
                case Instruction.Local local -> local.inputs().stream()
                        .filter(p -> p.operand() instanceof Parameter)
                        .forEach(p -> weightLayers.putIfAbsent(p, local.layer()));
                default -> {
                }
            }
        }
    }

    private ExpertPlacement placed(int layer, Dim experts) {
        ExpertPlacement follows = new ExpertPlacement(experts.extent(),
                units.split(experts).stream().map(part -> IntStream.range(0, part.size()).map(part::get).boxed().toList())
                        .toList());
        ExpertPlacement chosen = lookup.placement(layer, experts.extent()).orElse(follows);
        if (chosen.experts() != experts.extent() || chosen.parts() != follows.parts()) {
            throw new CompileException("block " + layer + " has " + experts.extent() + " experts on " + follows.parts()
                    + " ranks, but they are placed as " + chosen);
        }
        return chosen;
    }

    /** The model. */
    public ModelGraph graph() {
        return graph;
    }

    /** The ranks. */
    public Mesh mesh() {
        return mesh;
    }

    /** The dimensions that seams count, in the mesh's order: those with more than one rank, without the one that cuts into stages. */
    public List<MeshDimension> placed() {
        return placed;
    }

    /** The number of stages. */
    public int stages() {
        return stages.size();
    }

    /** The blocks of a stage. */
    public UnitList blocks(int stage) {
        return stages.get(stage);
    }

    /** All instructions of all stages, in order. */
    public List<Instruction> code() {
        return code;
    }

    /** The stage of an instruction; a transfer belongs to the one that sends. */
    public int stageOf(int instruction) {
        return codeStages.get(instruction);
    }

    /** The whole logits, there only in steps that need them. */
    public Piece logits() {
        return results.logits();
    }

    /** The merged candidates. */
    public Piece candidates() {
        return results.candidates();
    }

    /** What the model knows at the selected tokens, there only in steps that need it; empty if it cannot be had of this graph. */
    public Optional<Piece> hidden() {
        return results.hidden();
    }

    /** What a step can bring, each whole on the ranks of the last stage. */
    record Results(Piece logits, Piece candidates, Optional<Piece> hidden) {}

    /** The part that guesses further tokens, if there is one. */
    public Optional<Draft> draft() {
        return draft;
    }

    /** The stage of a block; a block behind the last one is in the last stage. */
    public int stageOfBlock(int block) {
        int within = Math.clamp(block, 0, graph.layers() - 1);
        return IntStream.range(0, stages.size()).filter(stage -> stages.get(stage).contains(within)).findFirst().orElseThrow();
    }

    /** The stage that a rank is in. */
    public int stageOfRank(int rank) {
        return stageDimension.map(d -> mesh.coordinate(rank, d)).orElse(0);
    }

    /** The rank with the same coordinates in another stage. */
    public int peer(int rank, int stage) {
        return stageDimension.map(d -> mesh.neighbour(rank, d, stage)).orElse(rank);
    }

    /** The rank that has the results of a step and sends them to rank 0: the one in the last stage that stands where rank 0 does. */
    public int resultRank() {
        return peer(0, stages.size() - 1);
    }

    /** The ranks that exchange something with a rank at a seam over some of the placed dimensions. */
    public List<Integer> group(int rank, List<Integer> dimensions) {
        return mesh.group(rank, dimensions.stream().map(placed::get).toList());
    }

    /** How it was compiled. */
    public CompileOptions options() {
        return options;
    }

    /** Along which axes weights are stored in blocks. */
    BlockGrid grid() {
        return blocks;
    }

    /** Where the experts of each block that has some are when the unit starts, by block. */
    public Map<Integer, ExpertPlacement> placements() {
        return Collections.unmodifiableMap(placements);
    }

    /** Which part of a {@link ExpertPlacement} a rank is. */
    public int expertPart(int rank) {
        int part = 0;
        for (MeshDimension dimension : units.rule(Axes.EXPERTS).map(AxisRule::over).orElse(List.of())) {
            part = part * mesh.size(dimension) + mesh.coordinate(rank, dimension);
        }
        return part;
    }

    /** The placed dimensions that experts are spread over; empty if each rank has all, or there are none. */
    public List<Integer> expertDimensions() {
        return placements.values().stream().allMatch(placement -> placement.parts() == 1)
                ? List.of()
                : units.rule(Axes.EXPERTS).map(units::dimensions).orElse(List.of());
    }

    /** The experts in the slots of a rank, of a weight whose first axis is that of experts. */
    List<Integer> expertSlots(Piece weight, int rank) {
        ExpertPlacement placement = placement(weight);
        int part = placement.parts() == 1 ? 0 : expertPart(rank);
        return IntStream.range(0, placement.slots(part)).map(slot -> placement.expert(part, slot)).boxed().toList();
    }

    private ExpertPlacement placement(Piece weight) {
        return java.util.Objects.requireNonNull(placements.get(weightLayers.get(weight)),
                () -> "no experts are dispatched to " + weight);
    }

    /** Which tokens a rank has of a piece; for a piece without tokens, all. */
    public TokenSplit tokens(Piece piece, int rank) {
        return tokens(piece.layout(), rank);
    }

    TokenSplit tokens(Layout layout, int rank) {
        List<Integer> homes = homeDimensions();
        boolean byHome = false;
        int part = 0;
        int parts = 1;
        for (int dimension = 0; dimension < placed.size(); dimension++) {
            if (layout.at(dimension) instanceof Placement.Split split && Axes.ofTokens(split.axis())) {
                if (homes.contains(dimension)) {
                    byHome = true;
                } else {
                    int size = mesh.size(placed.get(dimension));
                    part = part * size + mesh.coordinate(rank, placed.get(dimension));
                    parts *= size;
                }
            }
        }
        return new TokenSplit(byHome ? homeOf(rank) : -1, part, parts);
    }

    /** The dimensions that sequences are split over, as the compiler counts them; empty without data parallelism. */
    List<Integer> homeDimensions() {
        return units.rule(Axes.TOKENS).map(units::dimensions).orElse(List.of());
    }

    /** In how many groups of ranks sequences live, each with KV blocks of its own: 1 without data parallelism. */
    public int homes() {
        return homeDimensions().stream().mapToInt(d -> mesh.size(placed.get(d))).reduce(1, Math::multiplyExact);
    }

    /** Which of the homes a rank belongs to. */
    public int homeOf(int rank) {
        int home = 0;
        for (int dimension : homeDimensions()) {
            home = home * mesh.size(placed.get(dimension)) + mesh.coordinate(rank, placed.get(dimension));
        }
        return home;
    }

    /** The units of a dimension of a piece that a rank has; not for axes whose ranges come from the step. */
    public UnitList units(Piece piece, Dim dim, int rank) {
        return units.units(dim, piece.layout(), rank);
    }

    /** What a rank of the mesh does. */
    public RankProgram forRank(int rank) {
        int stage = stageOfRank(rank);
        var own = new ArrayList<Instruction>();
        var weights = new LinkedHashSet<Piece>();
        var states = new LinkedHashSet<Piece>();
        var seen = new HashSet<Instruction>();
        int guessing = draft.map(Draft::from).orElse(code.size());
        int draftFrom = 0;
        for (int i = 0; i < code.size(); i++) {
            Instruction instruction = code.get(i);
            boolean arrives = instruction instanceof Instruction.Transfer t && t.fromStage() == stage - 1;
            if ((codeStages.get(i) == stage || arrives) && seen.add(instruction)) {
                own.add(instruction);
                collect(instruction, weights, states);
                draftFrom += i < guessing ? 1 : 0;
            }
        }
        return new RankProgram(this, rank, stage, own, draftFrom, List.copyOf(weights), List.copyOf(states));
    }

    private static void collect(Instruction instruction, Set<Piece> weights, Set<Piece> states) {
        if (instruction instanceof Instruction.Local local) {
            for (Piece piece : local.inputs()) {
                switch (piece.operand()) {
                    case Parameter parameter -> weights.add(piece);
                    case State state -> states.add(piece);
                    default -> {
                    }
                }
            }
        }
    }
}
