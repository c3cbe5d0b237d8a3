package org.maniple.kernel.program;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.maniple.api.graph.Axes;
import org.maniple.api.graph.Dim;
import org.maniple.api.graph.ModelGraph;
import org.maniple.api.graph.Parameter;
import org.maniple.api.graph.State;
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
    private final Piece logits;
    private final Piece candidates;

    MeshProgram(ModelGraph graph, Mesh mesh, List<MeshDimension> placed, Optional<MeshDimension> stageDimension,
            List<UnitList> stages,
            UnitTable units, List<Instruction> code, List<Integer> codeStages, Piece logits, Piece candidates) {
        this.graph = graph;
        this.mesh = mesh;
        this.placed = placed;
        this.stageDimension = stageDimension;
        this.stages = stages;
        this.units = units;
        this.code = List.copyOf(code);
        this.codeStages = List.copyOf(codeStages);
        this.logits = logits;
        this.candidates = candidates;
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
        return logits;
    }

    /** The merged candidates. */
    public Piece candidates() {
        return candidates;
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

    /** Whether a piece lies in different ranges of tokens on different ranks. */
    boolean splitsTokens(Piece piece) {
        return piece.layout().placements().stream().anyMatch(p -> p instanceof Placement.Split s && Axes.ofTokens(s.axis()));
    }

    /** What a rank of the mesh does. */
    public RankProgram forRank(int rank) {
        int stage = stageOfRank(rank);
        var own = new ArrayList<Instruction>();
        var weights = new LinkedHashSet<Piece>();
        var states = new LinkedHashSet<Piece>();
        var seen = new HashSet<Instruction>();
        for (int i = 0; i < code.size(); i++) {
            Instruction instruction = code.get(i);
            boolean arrives = instruction instanceof Instruction.Transfer t && t.fromStage() == stage - 1;
            if ((codeStages.get(i) == stage || arrives) && seen.add(instruction)) {
                own.add(instruction);
                collect(instruction, weights, states);
            }
        }
        return new RankProgram(this, rank, stage, own, List.copyOf(weights), List.copyOf(states));
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
