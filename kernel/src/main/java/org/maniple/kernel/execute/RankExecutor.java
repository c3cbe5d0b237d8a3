package org.maniple.kernel.execute;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.maniple.api.collective.Communicator;
import org.maniple.api.compute.ComputeSession;
import org.maniple.api.compute.ComputeSession.CompiledKernel;
import org.maniple.api.compute.Kernel;
import org.maniple.api.graph.Axes;
import org.maniple.api.graph.Axis;
import org.maniple.api.graph.BuiltinOp;
import org.maniple.api.graph.OpCall;
import org.maniple.api.graph.Value;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.Tensor;
import org.maniple.api.tensor.UnitList;
import org.maniple.kernel.program.Instruction;
import org.maniple.kernel.program.Piece;
import org.maniple.kernel.program.RankProgram;
import org.maniple.kernel.step.StepBatch;

/**
 * Runs a rank's program, step by step, in memory that is allocated once. For use by one thread, the rank's own.
 */
public final class RankExecutor {

    /** How the descriptions of kernels begin that are an operation's own scalar implementation; its name follows. */
    public static final String REFERENCE = "reference ";

    /** What happens in a step, in order. */
    private record Action(Runnable work, @org.jspecify.annotations.Nullable Kernel kernel, boolean onlyForFullRows,
            List<Piece> made) {}

    private final RankProgram program;
    private final StepBatch.Limits limits;
    private final ComputeSession session;
    private final Communicator communicator;
    private final Optional<Observer> observer;
    private final Map<Piece, Tensor> tensors = new HashMap<>();
    private final List<Tensor> tokenTensors = new ArrayList<>();
    private final List<Tensor> rowTensors = new ArrayList<>();
    private final List<Action> actions = new ArrayList<>();
    private final Map<List<Integer>, Communicator.Group> groups = new HashMap<>();
    private final Map<String, Integer> kernels = new TreeMap<>();
    private @org.jspecify.annotations.Nullable Tensor ids;

    /**
     * Binds a program to memory and compiles it.
     *
     * @param program what this rank does
     * @param limits of the steps that it will be given
     * @param blocks KV blocks in all
     * @param session the back end
     * @param communicator reaches the other ranks
     * @param weights this rank's weights by piece
     * @param observer sees all values
     * @throws org.maniple.api.ManipleException if there is not enough memory
     */
    public RankExecutor(RankProgram program, StepBatch.Limits limits, int blocks, ComputeSession session,
            Communicator communicator,
            Map<Piece, Tensor> weights, Optional<Observer> observer) {
        this.program = program;
        this.limits = limits;
        this.session = session;
        this.communicator = communicator;
        this.observer = observer;
        tensors.putAll(weights);
        makeGroups();
        for (Piece state : program.states()) {
            tensors.put(state, state(state, blocks));
        }
        List<List<Instruction>> sections = sections();
        allocate(sections);
        sections.forEach(this::bind);
    }

    /**
     * Bytes of KV cache that one block takes on this rank.
     *
     * @param program what the rank does
     * @param blockSize positions per block
     * @return bytes
     */
    public static long blockBytes(RankProgram program, int blockSize) {
        return program.states().stream().mapToLong(s -> 4 * program.elements(s) * blockSize).sum();
    }

    /**
     * What computes the operations.
     *
     * @return the number of operations by kernel description
     */
    public Map<String, Integer> kernels() {
        return Map.copyOf(kernels);
    }

    /**
     * Runs a step.
     *
     * @param step the batch
     * @throws org.maniple.api.transport.TransportException if another rank cannot be reached
     */
    public void run(StepBatch step) {
        for (Tensor tensor : tokenTensors) {
            tensor.rows(step.tokens());
        }
        for (Tensor tensor : rowTensors) {
            tensor.rows(step.selectedRows());
        }
        if (ids != null) {
            for (int row = 0; row < step.tokens(); row++) {
                ids.segment().setAtIndex(JAVA_INT, row, step.token(row));
            }
        }
        boolean full = step.fullRows();
        for (int i = 0; i < actions.size(); i++) {
            Action action = actions.get(i);
            if (action.onlyForFullRows() && !full) {
                continue;
            }
            if (action.kernel() != null) {
                action.kernel().run(step);
            } else {
                action.work().run();
            }
            if (observer.isPresent()) {
                action.made().forEach(piece -> observer.get().made(piece, tensor(piece), step));
            }
        }
    }

    /**
     * The merged candidates of the last step, on ranks of the last stage.
     *
     * @return {@code [selected rows, 2k+2]}
     */
    public Tensor candidates() {
        return tensor(program.program().candidates());
    }

    /**
     * The whole logits of the last step if it needed them, on ranks of the last stage.
     *
     * @return {@code [selected rows, vocabulary]}
     */
    public Tensor logits() {
        return tensor(program.program().logits());
    }

    private Tensor tensor(Piece piece) {
        Tensor tensor = tensors.get(piece);
        if (tensor == null) {
            throw new IllegalStateException("rank " + program.rank() + " has no " + piece);
        }
        return tensor;
    }

    /** Groups are numbered in the same way on every rank: by their dimensions, in the order in which seams first need them. */
    private void makeGroups() {
        int next = 1;
        var numbers = new HashMap<List<Integer>, Integer>();
        for (Instruction instruction : program.program().code()) {
            if (instruction instanceof Instruction.Seam seam && !numbers.containsKey(seam.dimensions())) {
                List<Integer> members = program.program().group(program.rank(), seam.dimensions());
                groups.put(seam.dimensions(), communicator.group(next + members.getFirst(), members));
                numbers.put(seam.dimensions(), next);
                next += program.program().mesh().ranks();
            }
        }
    }

    private Tensor state(Piece state, int blocks) {
        int positions = Math.multiplyExact(blocks, limits.blockSize());
        int[] shape = new int[state.operand().dims().size()];
        shape[0] = positions;
        for (int i = 1; i < shape.length; i++) {
            shape[i] = program.program().units(state, state.operand().dims().get(i), program.rank()).size();
        }
        return Tensor.of(DType.F32, shape, session.allocate(Math.multiplyExact(program.elements(state), 4L * positions)));
    }

    /** Operations of one block between two exchanges; attention ends one too, so that memory is given up in between. */
    private List<List<Instruction>> sections() {
        var sections = new ArrayList<List<Instruction>>();
        var open = new ArrayList<Instruction>();
        for (Instruction instruction : program.code()) {
            boolean local = instruction instanceof Instruction.Local;
            if (!open.isEmpty() && (!local || open.getLast().layer() != instruction.layer())) {
                sections.add(List.copyOf(open));
                open.clear();
            }
            open.add(instruction);
            boolean attention = instruction instanceof Instruction.Local l && l.node().op() instanceof BuiltinOp.Attend;
            if (!local || attention) {
                sections.add(List.copyOf(open));
                open.clear();
            }
        }
        if (!open.isEmpty()) {
            sections.add(List.copyOf(open));
        }
        return sections;
    }

    private void allocate(List<List<Instruction>> sections) {
        var plan = new BufferPlan(program, sections, limits.maxTokens(), limits.maxRows());
        var memory = new HashMap<BufferPlan.Slot, MemorySegment>();
        for (BufferPlan.Slot slot : plan.slots()) {
            memory.put(slot, session.allocate(slot.bytes()));
        }
        for (Instruction instruction : program.code()) {
            for (Piece piece : BufferPlan.made(program, instruction)) {
                add(piece, Tensor.of(DType.F32, plan.shape(piece), Objects.requireNonNull(memory.get(plan.slot(piece)))));
            }
            if (instruction instanceof Instruction.Local local) {
                local.inputs().stream().filter(p -> p.operand().equals(program.program().graph().ids())).forEach(this::addIds);
            }
        }
    }

    private void addIds(Piece piece) {
        if (ids == null) {
            ids = Tensor.of(DType.I32, new int[] {limits.maxTokens()}, session.allocate(4L * limits.maxTokens()));
        }
        if (!tensors.containsKey(piece)) {
            add(piece, ids);
        }
    }

    private void add(Piece piece, Tensor tensor) {
        if (tensors.putIfAbsent(piece, tensor) == null) {
            (((Value) piece.operand()).has(Axes.ROWS) ? rowTensors : tokenTensors).add(tensor);
        }
    }

    private void bind(List<Instruction> section) {
        switch (section.getFirst()) {
            case Instruction.Local local -> compile(section);
            case Instruction.Seam seam -> bind(seam);
            case Instruction.Transfer transfer -> bind(transfer);
        }
    }

    private void bind(Instruction.Seam seam) {
        Communicator.Group group = Objects.requireNonNull(groups.get(seam.dimensions()));
        var binding = new Exchange.Binding(program.program(), program.rank(), seam, tensor(seam.from()), tensor(seam.to()),
                communicator,
                group, session::allocate);
        Exchange exchange = Exchange.of(binding);
        actions.add(new Action(exchange::run, null, seam.onlyForFullRows(), List.of(seam.to())));
    }

    private void bind(Instruction.Transfer transfer) {
        boolean sends = transfer.fromStage() == program.stage();
        int peer = program.program().peer(program.rank(), sends ? program.stage() + 1 : program.stage() - 1);
        for (Piece piece : transfer.pieces()) {
            Tensor tensor = tensor(piece);
            if (sends) {
                actions.add(
                        new Action(new StageLink(communicator, peer, tensor, session::allocate)::send, null, false, List.of()));
            } else {
                var rows = new RowSlices(tensor.segment(), 4L * tensor.width(), tensor.extent(0));
                actions.add(new Action(() -> communicator.receive(peer, rows.first(tensor.rows())), null, false, List.of(piece)));
            }
        }
    }

    private void compile(List<Instruction> section) {
        List<Instruction.Local> locals = section.stream().map(Instruction.Local.class::cast).toList();
        List<OpCall> calls = locals.stream().map(this::call).toList();
        var region = new ComputeSession.Region(calls, needed(locals));
        int from = 0;
        while (from < calls.size()) {
            OpCall call = calls.get(from);
            CompiledKernel compiled = session.compile(region, from)
                    .orElseGet(() -> new CompiledKernel(new ReferenceKernel(call), 1, REFERENCE + call.op().name()));
            kernels.merge(compiled.description(), compiled.covers(), Integer::sum);
            List<Piece> made = locals.subList(from, from + compiled.covers()).stream().flatMap(l -> l.outputs().stream())
                    .toList();
            actions.add(new Action(() -> {}, compiled.kernel(), false, made));
            from += compiled.covers();
        }
    }

    /** Outputs that an observer or an instruction outside of the section reads. */
    private List<Boolean> needed(List<Instruction.Local> section) {
        Set<Piece> outside = new HashSet<>(List.of(program.program().logits(), program.program().candidates()));
        for (Instruction instruction : program.code()) {
            switch (instruction) {
                case Instruction.Local local when section.contains(local) -> {
                }
                case Instruction.Local local -> outside.addAll(local.inputs());
                case Instruction.Seam seam -> outside.add(seam.from());
                case Instruction.Transfer transfer -> outside.addAll(transfer.pieces());
            }
        }
        return section.stream().map(l -> observer.isPresent() || l.outputs().stream().anyMatch(outside::contains)).toList();
    }

    private OpCall call(Instruction.Local local) {
        var units = new HashMap<Axis, UnitList>();
        for (Piece piece : local.inputs()) {
            units.putAll(program.units(piece));
        }
        for (Piece piece : local.outputs()) {
            units.putAll(program.units(piece));
        }
        return new OpCall(local.node(), local.inputs().stream().map(this::tensor).toList(),
                local.outputs().stream().map(this::tensor).toList(), units);
    }
}
