package org.maniple.kernel.program;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.maniple.api.graph.Axes;
import org.maniple.api.graph.BuiltinOp;
import org.maniple.api.graph.Dim;
import org.maniple.api.graph.ElementFunction;
import org.maniple.api.graph.Op;
import org.maniple.api.graph.Operand;
import org.maniple.api.graph.Value;
import org.maniple.api.mesh.MeshDimension;

/** A program in words: one block for each kind of layer, with placements, seams and the bytes per token that each rank sends. */
public final class ProgramListing {

    private final MeshProgram program;

    /**
     * A listing.
     *
     * @param program what is listed
     */
    public ProgramListing(MeshProgram program) {
        this.program = program;
    }

    /** The listing; layers that do the same are listed once. */
    @Override
    public String toString() {
        var text = new StringBuilder();
        String dimensions = program.placed().stream().map(MeshDimension::toString).collect(Collectors.joining(","));
        text.append("program of ").append(program.graph().architecture()).append(", placements over ")
                .append(dimensions.isEmpty() ? "one rank" : dimensions).append('\n');
        Map<String, List<Integer>> kinds = kinds();
        kinds.forEach((lines, layers) -> text.append('\n').append(title(layers)).append('\n').append(lines));
        if (program.draft().isPresent()) {
            text.append("\nguesses, in passes of their own\n");
            draft().forEach(line -> text.append("    ").append(line).append('\n'));
        }
        if (program.stages() > 1) {
            text.append("\nstages\n");
            for (int stage = 0; stage < program.stages(); stage++) {
                text.append("    stage ").append(stage).append("  layers ").append(program.blocks(stage)).append('\n');
            }
            transfers().forEach(line -> text.append("    ").append(line).append('\n'));
        }
        return text.toString();
    }

    /**
     * The lines of one block of the model.
     *
     * @param layer counted from 0; -1 for what comes before, the number of blocks for what comes after
     * @return one line for each instruction
     */
    public List<String> layer(int layer) {
        var lines = new ArrayList<String>();
        for (Instruction instruction : program.code().subList(0, draftFrom())) {
            if (instruction.layer() == layer && !(instruction instanceof Instruction.Transfer)) {
                lines.add(line(instruction));
            }
        }
        return lines;
    }

    /**
     * The lines of the part that guesses further tokens.
     *
     * @return one line for each instruction; none if there is no such part
     */
    public List<String> draft() {
        return program.code().subList(draftFrom(), program.code().size()).stream().map(this::line).toList();
    }

    private int draftFrom() {
        return program.draft().map(MeshProgram.Draft::from).orElse(program.code().size());
    }

    /**
     * What goes from each stage to the next.
     *
     * @return one line for each pair of stages
     */
    public List<String> transfers() {
        return program.code().stream().filter(Instruction.Transfer.class::isInstance).map(this::line).toList();
    }

    private Map<String, List<Integer>> kinds() {
        var kinds = new LinkedHashMap<String, List<Integer>>();
        for (int layer = -1; layer <= program.graph().layers(); layer++) {
            String lines = layer(layer).stream().map(l -> "    " + l + "\n").collect(Collectors.joining());
            kinds.computeIfAbsent(lines, l -> new ArrayList<>()).add(layer);
        }
        return kinds;
    }

    private String title(List<Integer> layers) {
        int count = program.graph().layers();
        String names = layers.stream()
                .map(l -> l < 0 ? "embedding" : l == count ? "head" : Integer.toString(l))
                .collect(Collectors.joining(", "));
        boolean blocks = layers.getFirst() >= 0 && layers.getFirst() < count;
        return (blocks ? layers.size() == 1 ? "layer " : "layers " : "") + (layers.size() > 6 ? range(layers, names) : names);
    }

    private static String range(List<Integer> layers, String names) {
        boolean following = layers.getLast() - layers.getFirst() == layers.size() - 1;
        return following ? layers.getFirst() + " to " + layers.getLast() : names;
    }

    private String line(Instruction instruction) {
        int layer = instruction.layer();
        return switch (instruction) {
            case Instruction.Local local -> String.format(Locale.ROOT, "%-15s %s -> %s", name(local.node().op()),
                    local.inputs().stream().map(p -> piece(p, layer)).collect(Collectors.joining(", ")),
                    local.outputs().isEmpty()
                            ? "(state)"
                            : local.outputs().stream().map(p -> piece(p, layer)).collect(Collectors.joining(", ")));
            case Instruction.Seam seam -> String.format(Locale.ROOT, "~ %s %s  %s -> %s  %d bytes per %s%s", seam.kind(),
                    names(seam.dimensions()), piece(seam.from(), layer), seam.to().layout(), bytes(seam), unit(seam.from()),
                    seam.need() == Instruction.Need.ALWAYS ? "" : ", " + seam.need());
            case Instruction.Dispatch dispatch -> dispatch(dispatch, layer);
            case Instruction.Combine combine -> combine(combine, layer);
            case Instruction.Transfer transfer ->
                "~ transfer stage " + transfer.fromStage() + " -> " + (transfer.fromStage() + 1) + "  "
                        + transfer.pieces().stream().map(p -> piece(p, layer)).collect(Collectors.joining(", ")) + "  "
                        + bytes(transfer) + " bytes per token";
        };
    }

    private String dispatch(Instruction.Dispatch dispatch, int layer) {
        String operands = piece(dispatch.x(), layer) + ", " + piece(dispatch.ids(), layer) + " -> "
                + piece(dispatch.pairs(), layer);
        return dispatch.dimensions().isEmpty()
                ? String.format(Locale.ROOT, "%-15s %s", "DISPATCH", operands)
                : String.format(Locale.ROOT,
                        "~ dispatch %s  %s  up to %d bytes per token, once to each rank with one of its experts",
                        names(dispatch.dimensions()), operands, bytes(dispatch));
    }

    private String combine(Instruction.Combine combine, int layer) {
        String operands = piece(combine.pairs(), layer) + " -> " + piece(combine.sums(), layer);
        return combine.inOrder()
                ? String.format(Locale.ROOT, "~ return %s  %s  up to %d bytes per token: every row goes home and is summed there",
                        names(combine.dimensions()), operands, bytes(combine))
                : String.format(Locale.ROOT, "~ return %s  %s  up to %d bytes per token: one sum from each rank visited",
                        names(combine.dimensions()), operands, bytes(combine));
    }

    /** The most other ranks that have an expert of one token. */
    private int visited(Piece pairs, List<Integer> dimensions) {
        return Math.min(((Value) pairs.operand()).choices(), ranks(dimensions) - 1);
    }

    private int ranks(List<Integer> dimensions) {
        return dimensions.stream().mapToInt(d -> program.mesh().size(program.placed().get(d))).reduce(1, Math::multiplyExact);
    }

    private static String name(Op op) {
        if (op instanceof BuiltinOp.Elementwise map) {
            return switch (map.function()) {
                case ElementFunction.Add add -> "MAP add";
                case ElementFunction.Scale scale -> "MAP scale";
                case ElementFunction.Glu glu -> "MAP glu";
                case ElementFunction.Activate activate -> "MAP " + activate.activation().name().toLowerCase(Locale.ROOT);
                case ElementFunction.SoftCap cap -> "MAP softcap";
                case ElementFunction.ClampedGlu glu -> "MAP clamped glu";
                case ElementFunction.Clamp clamp -> "MAP clamp";
                case ElementFunction.RowGate gate -> "MAP gate";
            };
        }
        return op instanceof BuiltinOp.Attend attend && attend.window() > 0 ? op.name() + " last " + attend.window() : op.name();
    }

    private String names(List<Integer> dimensions) {
        return dimensions.stream().map(d -> program.placed().get(d).name()).collect(Collectors.joining(" x "));
    }

    /** A piece with its name; numbers of this layer and the next become * and + so that equal layers have equal lines. */
    private static String piece(Piece piece, int layer) {
        String name = piece.operand().name()
                .replaceAll("\\." + layer + "(?=\\.|$)", ".*")
                .replaceAll("\\." + (layer + 1) + "(?=\\.|$)", ".+");
        return name + " " + piece.layout();
    }

    private static String unit(Piece piece) {
        return piece.operand() instanceof Value value && value.ragged()
                ? "row of an expert"
                : piece.operand().has(Axes.ROWS) ? "row" : "token";
    }

    /**
     * What a rank sends.
     *
     * @param instruction one of the program
     * @return bytes for each token, or for each row of logits; at most, where they depend on which experts are chosen
     */
    public long bytes(Instruction instruction) {
        return switch (instruction) {
            case Instruction.Local local -> 0;
            case Instruction.Seam seam -> bytes(seam) * Math.max(1, ((Value) seam.from().operand()).choices());
            case Instruction.Dispatch dispatch ->
                4 * elements(dispatch.x(), 0) * visited(dispatch.pairs(), dispatch.dimensions());
            case Instruction.Combine combine -> 4 * elements(combine.sums(), 0) * (combine.inOrder()
                    ? ((Value) combine.pairs().operand()).choices()
                    : visited(combine.pairs(), combine.dimensions()));
            case Instruction.Transfer transfer -> transfer.pieces().stream().mapToLong(p -> 4 * elements(p, 0)).sum();
        };
    }

    /** Bytes that a rank sends for each token, by the formulas for n ranks: all-reduce 2(n-1)/n of the value, the others half of it. */
    private long bytes(Instruction.Seam seam) {
        Layout gathered = seam.from().layout();
        int ranks = 1;
        for (int dimension : seam.dimensions()) {
            gathered = gathered.with(dimension, Placement.WHOLE);
            ranks *= program.mesh().size(program.placed().get(dimension));
        }
        long whole = 4 * elements(new Piece(-1, seam.from().operand(), gathered), 0);
        return switch (seam.kind()) {
            case SLICE -> 0;
            case ALL_REDUCE -> 2 * whole * (ranks - 1) / ranks;
            case REDUCE_SCATTER, ALL_GATHER -> whole * (ranks - 1) / ranks;
            case MERGE -> whole * (ranks - 1);
        };
    }

    private long elements(Piece piece, int rank) {
        long product = 1;
        Operand operand = piece.operand();
        for (Dim dim : operand.dims()) {
            boolean row = operand instanceof Value value && value.ragged() && dim.axis().equals(Axes.EXPERTS);
            if (!Axes.ofTokens(dim.axis()) && !row) {
                product *= program.units(piece, dim, rank).size();
            }
        }
        return product;
    }
}
