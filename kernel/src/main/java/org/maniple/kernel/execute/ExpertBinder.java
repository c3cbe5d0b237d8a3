package org.maniple.kernel.execute;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Function;
import org.maniple.api.collective.AllToAll;
import org.maniple.api.collective.Communicator;
import org.maniple.api.collective.PairExchange;
import org.maniple.api.compute.ComputeSession;
import org.maniple.api.compute.Kernel;
import org.maniple.api.graph.OpCall;
import org.maniple.api.graph.Value;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.PairRows;
import org.maniple.api.tensor.Tensor;
import org.maniple.kernel.program.Instruction;
import org.maniple.kernel.program.Piece;
import org.maniple.kernel.program.RankProgram;
import org.maniple.kernel.program.TokenSplit;
import org.maniple.kernel.step.StepBatch;
import org.maniple.kernel.step.StepView;

/** Binds what makes the rows of experts and what sums them to a rank's memory and to the ranks that it exchanges them with. */
final class ExpertBinder {

    /** Exchanges of the same form share their memory. */
    private record ExchangeKey(List<Integer> dimensions, int width, int choices, int slots) {}

    private final RankProgram program;
    private final StepBatch.Limits limits;
    private final ComputeSession session;
    private final Communicator communicator;
    private final Map<List<Integer>, Communicator.Group> groups;
    private final RankExecutor.Exchanges exchanges;
    private final CurrentBatch current;
    private final Map<Integer, ExpertTable> tables;
    /** Which rows each ragged value has, among which tokens these are counted, and who has brought them. */
    private final Map<Value, PairRows> pairRows = new HashMap<>();
    private final Map<Value, TokenSplit> pairTokens = new HashMap<>();
    private final Map<Value, PairExchange> visits = new HashMap<>();
    private final Map<ExchangeKey, PairExchange> opened = new HashMap<>();
    /** Memory of rows on their way, by size: only one block returns rows at a time. */
    private final Map<Long, MemorySegment> leaving = new HashMap<>();
    private final Map<Long, MemorySegment> returning = new HashMap<>();

    /**
     * @param groups the ranks along some dimensions of the mesh, for all dimensions along which rows are exchanged
     * @param tables where the experts of each block are
     */
    ExpertBinder(RankProgram program, StepBatch.Limits limits, ComputeSession session, Communicator communicator,
            Map<List<Integer>, Communicator.Group> groups, RankExecutor.Exchanges exchanges, CurrentBatch current,
            Map<Integer, ExpertTable> tables) {
        this.tables = tables;
        this.program = program;
        this.limits = limits;
        this.session = session;
        this.communicator = communicator;
        this.groups = groups;
        this.exchanges = exchanges;
        this.current = current;
    }

    /** Where the experts of each block are at the start. */
    static Map<Integer, ExpertTable> tables(RankProgram program) {
        var tables = new TreeMap<Integer, ExpertTable>();
        program.program().placements().forEach((layer, placement) -> tables.put(layer,
                new ExpertTable(layer, placement.parts() == 1 ? 0 : program.program().expertPart(program.rank()), placement)));
        return tables;
    }

    /** Where the experts of each block are. */
    Map<Integer, ExpertTable> tables() {
        return Collections.unmodifiableMap(tables);
    }

    /** The exchanges that are in use. */
    List<PairExchange> exchanges() {
        return List.copyOf(opened.values());
    }

    /** Which rows a ragged piece has: those that a dispatch makes, or those of the value that it is made from. */
    PairRows rowsOf(Instruction instruction, Piece piece) {
        var value = (Value) piece.operand();
        switch (instruction) {
            case Instruction.Dispatch dispatch -> {
                boolean visits = !dispatch.dimensions().isEmpty();
                int tokens = visits ? limits.allTokens() : BufferPlan.capacity(program, dispatch.x(), limits);
                pairRows.put(value, new PairRows(BufferPlan.slots(program, piece), value.choices(), tokens,
                        BufferPlan.capacity(program, piece, limits)));
                pairTokens.put(value,
                        visits ? TokenSplit.ALL : program.program().tokens(dispatch.x(), program.rank()));
            }
            case Instruction.Local local -> {
                var source = (Value) local.inputs().stream().map(Piece::operand)
                        .filter(o -> o instanceof Value v && v.ragged()).findFirst().orElseThrow();
                pairRows.putIfAbsent(value, Objects.requireNonNull(pairRows.get(source)));
                pairTokens.putIfAbsent(value, Objects.requireNonNull(pairTokens.get(source)));
            }
            default -> {
            }
        }
        return Objects.requireNonNull(pairRows.get(value), () -> "no rows are made for " + piece);
    }

    /** Makes rows, of the tokens that a view shows. */
    Kernel dispatch(Instruction.Dispatch dispatch, Function<Piece, Tensor> tensors, StepView view) {
        ExpertTable table = Objects.requireNonNull(tables.get(dispatch.layer()));
        Tensor pairs = tensors.apply(dispatch.pairs());
        Tensor x = tensors.apply(dispatch.x());
        Tensor ids = tensors.apply(dispatch.ids());
        if (dispatch.dimensions().isEmpty()) {
            return new ExpertRows(table, x, ids, pairs);
        }
        PairExchange exchange = open(dispatch, pairs);
        visits.put((Value) dispatch.pairs().operand(), exchange);
        return new ExpertVisits(exchange, table, positions(table, dispatch.dimensions()), x, ids,
                tensors.apply(dispatch.weights()), pairs,
                current, view);
    }

    /** Sums rows; what the rows that have come home go through is compiled by the back end. */
    Exchanging combine(Instruction.Combine combine, Function<Piece, Tensor> tensors, Function<OpCall, Kernel> compiler) {
        return combine.inOrder() ? inOrder(combine, tensors, compiler) : sums(combine, tensors);
    }

    private PairExchange open(Instruction.Dispatch dispatch, Tensor pairs) {
        int choices = pairs.pairs().choices();
        var key = new ExchangeKey(dispatch.dimensions(), pairs.width(), choices, pairs.pairs().slots());
        return opened.computeIfAbsent(key, k -> exchanges.open(new AllToAll.Setting(communicator,
                Objects.requireNonNull(groups.get(dispatch.dimensions())), pairs.width(), choices, pairs.pairs().slots(),
                limits.maxTokens(), session::allocate)));
    }

    /** The position in a group of ranks along some dimensions of each part of a placement; -1 if none of these is that part. */
    private int[] positions(ExpertTable table, List<Integer> dimensions) {
        int[] positions = new int[table.placement().parts()];
        Arrays.fill(positions, -1);
        List<Integer> members = program.program().group(program.rank(), dimensions);
        for (int i = 0; i < members.size(); i++) {
            positions[program.program().expertPart(members.get(i))] = i;
        }
        return positions;
    }

    private Exchanging sums(Instruction.Combine combine, Function<Piece, Tensor> tensors) {
        var value = (Value) combine.pairs().operand();
        PairRows rows = Objects.requireNonNull(pairRows.get(value));
        PairExchange exchange = visits.entrySet().stream().filter(e -> pairRows.get(e.getKey()) == rows)
                .map(Map.Entry::getValue).findFirst().orElseThrow();
        Tensor pairs = tensors.apply(combine.pairs());
        Tensor sums = tensors.apply(combine.sums());
        return new ExpertSums(exchange, pairs, sums);
    }

    private Exchanging inOrder(Instruction.Combine combine, Function<Piece, Tensor> tensors, Function<OpCall, Kernel> compiler) {
        ExpertTable table = Objects.requireNonNull(tables.get(combine.layer()));
        Tensor pairs = tensors.apply(combine.pairs());
        Tensor ids = tensors.apply(combine.ids());
        Tensor sums = tensors.apply(combine.sums());
        int choices = ids.width();
        Communicator.Group group = Objects.requireNonNull(groups.get(combine.dimensions()));
        int capacity = Math.multiplyExact(sums.extent(0), choices);
        MemorySegment memory = returning.computeIfAbsent(4L * capacity * pairs.width(), session::allocate);
        Tensor returned = Tensor.of(DType.F32, shapeOf(pairs, capacity), memory)
                .ragged(new PairRows(group.size(), choices, sums.extent(0), capacity));
        var call = new OpCall(combine.node(), List.of(returned, ids, tensors.apply(combine.weights())), List.of(sums),
                program.units(List.of(combine.pairs(), combine.sums())));
        List<TokenSplit> homes = group.ranks().stream().map(rank -> program.program().tokens(combine.sums(), rank)).toList();
        var binding = new ExpertReturn.Binding(table, positions(table, combine.dimensions()), homes, pairs,
                Objects.requireNonNull(pairTokens.get((Value) combine.pairs().operand())), ids, returned);
        Kernel sum = compiler.apply(call);
        return new ExpertReturn(binding, communicator, group, current, sum,
                leaving.computeIfAbsent(4L * pairs.extent(0) * pairs.width(), session::allocate));
    }

    private static int[] shapeOf(Tensor tensor, int rows) {
        int[] shape = new int[tensor.rank()];
        shape[0] = rows;
        for (int i = 1; i < shape.length; i++) {
            shape[i] = tensor.extent(i);
        }
        return shape;
    }
}
