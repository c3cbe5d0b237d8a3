package org.maniple.kernel.execute;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.maniple.api.collective.AllToAll;
import org.maniple.api.collective.Communicator;
import org.maniple.api.collective.PairExchange;
import org.maniple.api.compute.ComputeSession;
import org.maniple.api.compute.ComputeSession.CompiledKernel;
import org.maniple.api.compute.Kernel;
import org.maniple.api.graph.Axes;
import org.maniple.api.graph.BuiltinOp;
import org.maniple.api.graph.Node;
import org.maniple.api.graph.OpCall;
import org.maniple.api.graph.Value;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.Tensor;
import org.maniple.kernel.program.CacheType;
import org.maniple.kernel.program.Instruction;
import org.maniple.kernel.program.MeshProgram;
import org.maniple.kernel.program.Piece;
import org.maniple.kernel.program.RankProgram;
import org.maniple.kernel.program.TokenSplit;
import org.maniple.kernel.step.StepBatch;
import org.maniple.kernel.step.StepView;

/**
 * Runs a rank's program, step by step, in memory that is allocated once. For use by one thread, the rank's own.
 */
public final class RankExecutor {

    /** How the descriptions of kernels begin that are an operation's own scalar implementation; its name follows. */
    public static final String REFERENCE = "reference ";

    /** As in the system's memory where it gives large ones. */
    private static final long LARGE_PAGE = 2L << 20;
    private static final long ALIGNMENT = 4096;

    /** What happens in a step, in order, on the tokens that a view shows. */
    private record Action(Kernel work, StepView view, Use use, List<Piece> made, boolean exchanges) {}

    /** For which steps something is done. */
    private enum Use {
        ALWAYS, LOGITS, FULL_ROWS, HIDDEN_ROWS;

        boolean by(StepBatch step) {
            return switch (this) {
                case ALWAYS -> true;
                case LOGITS -> step.wantsLogits();
                case FULL_ROWS -> step.fullRows();
                case HIDDEN_ROWS -> step.hiddenRows();
            };
        }
    }

    /** Opens an all-to-all back end for what is exchanged along some dimensions. */
    @FunctionalInterface
    public interface Exchanges {
        /**
         * Opens it.
         *
         * @param setting what is exchanged
         * @return the exchange
         */
        PairExchange open(AllToAll.Setting setting);
    }

    private final RankProgram program;
    private final StepBatch.Limits limits;
    private final ComputeSession session;
    private final Communicator communicator;
    private final Optional<Observer> observer;
    private final CurrentBatch current;
    private final Map<TokenSplit, StepView> views = new LinkedHashMap<>();
    private final StepView[] allViews;
    private final Map<Piece, Tensor> tensors = new HashMap<>();
    /** Activations that have rows for tokens or for selected rows of a view; those of experts have their rows otherwise. */
    private final Map<StepView, List<Tensor>> tokenTensors = new HashMap<>();
    private final Map<StepView, List<Tensor>> rowTensors = new HashMap<>();
    private final Map<StepView, Tensor> ids = new HashMap<>();
    private final List<Action> actions = new ArrayList<>();
    private final Map<List<Integer>, Communicator.Group> groups = new HashMap<>();
    private final Map<String, Integer> kernels = new TreeMap<>();
    private final @Nullable Value selected;
    /** The number of the operation that selects rows. */
    private final int selection;
    private final ExpertBinder experts;
    private final StepClock clock = new StepClock();
    private @Nullable DraftMemory draft;
    /** The first action that belongs to passes that guess. */
    private int draftFrom;
    private @Nullable StepProfile profile;
    /** To the next stage. */
    private StageLink[] onward = {};

    /**
     * Binds a program to memory and compiles it.
     *
     * @param program what this rank does
     * @param limits of the steps that it will be given
     * @param blocks KV blocks in all
     * @param session the back end
     * @param communicator reaches the other ranks
     * @param weights this rank's weights by piece
     * @param exchanges opens the all-to-all back end, if the program needs one
     * @param observer sees all values
     * @throws org.maniple.api.ManipleException if there is not enough memory
     */
    public RankExecutor(RankProgram program, StepBatch.Limits limits, int blocks, ComputeSession session,
            Communicator communicator, Map<Piece, Tensor> weights, Exchanges exchanges, Optional<Observer> observer) {
        this.program = program;
        this.current = new CurrentBatch(new StepBatch(limits, 1, 1));
        this.limits = limits;
        this.session = session;
        this.communicator = communicator;
        this.observer = observer;
        this.selected = program.program().graph().selected().orElse(null);
        this.selection = program.program().graph().nodes().stream().filter(node -> node.op() instanceof BuiltinOp.Select)
                .mapToInt(Node::index).findFirst().orElse(Integer.MAX_VALUE);
        tensors.putAll(weights);
        makeGroups();
        int states = 0;
        for (Piece state : program.states()) {
            tensors.put(state, state(state, blocks, LARGE_PAGE * states++ / program.states().size() / ALIGNMENT * ALIGNMENT));
        }
        List<List<Instruction>> sections = sections();
        experts = new ExpertBinder(program, limits, session, communicator, groups, exchanges, current);
        allocate(sections);
        bindAll(sections);
        allViews = views.values().toArray(StepView[]::new);
    }

    /** Binds what steps do, and then what passes do that guess. */
    private void bindAll(List<List<Instruction>> sections) {
        int begun = 0;
        for (List<Instruction> section : sections) {
            if (begun == program.draftFrom()) {
                draftFrom = actions.size();
            }
            bind(section);
            begun += section.size();
        }
        if (!program.drafts()) {
            draftFrom = actions.size();
        }
        if (program.drafts()) {
            MeshProgram.Draft pieces = program.program().draft().orElseThrow();
            draft = new DraftMemory(tensor(pieces.source()), tensor(pieces.hidden()), view(pieces.source()),
                    program.program().stages(), session::allocate);
        }
    }

    /**
     * Where the experts of each block are, and how often they were computed here.
     *
     * @return by block
     */
    public Map<Integer, ExpertTable> experts() {
        return experts.tables();
    }

    /**
     * The ranks that share the experts of this stage.
     *
     * @return with this one; empty if each rank has all experts, or the stage has none
     */
    public Optional<Communicator.Group> expertGroup() {
        return Optional.ofNullable(groups.get(program.program().expertDimensions()));
    }

    /**
     * The memory of a weight.
     *
     * @param weight one of the program's weights
     * @return its tensor
     */
    public Tensor weight(Piece weight) {
        return tensor(weight);
    }

    /**
     * The exchanges of the all-to-all back end that are in use, for what they have sent.
     *
     * @return may be empty
     */
    public List<PairExchange> exchanges() {
        return experts.exchanges();
    }

    private StepView view(TokenSplit split) {
        return views.computeIfAbsent(split, s -> new StepView(s, current.batch()));
    }

    private StepView view(Piece piece) {
        return view(program.program().tokens(piece, program.rank()));
    }

    /** The tokens that an operation computes: those of what it reads, or makes. */
    private StepView view(Instruction.Local local) {
        List<Piece> values = new ArrayList<>(local.inputs());
        values.addAll(local.outputs());
        return values.stream().filter(p -> p.operand() instanceof Value).findFirst().map(this::view)
                .orElseGet(() -> view(TokenSplit.ALL));
    }

    /**
     * Bytes of KV cache that one block takes on this rank.
     *
     * @param program what the rank does
     * @param blockSize positions per block
     * @return bytes
     */
    public static long blockBytes(RankProgram program, int blockSize) {
        CacheType type = program.program().options().cache();
        return program.states().stream().mapToLong(s -> type.bytes(heads(program, s), program.elements(s)) * blockSize).sum();
    }

    /** Rows of elements of a state at a position: all its dimensions but the last. */
    private static long heads(RankProgram program, Piece state) {
        int elements = program.program().units(state, state.operand().dims().getLast(), program.rank()).size();
        return elements == 0 ? 0 : program.elements(state) / elements;
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
     * Begins to measure how long each kernel takes, which costs a little time itself.
     *
     * @return what is measured from now on
     */
    public StepProfile profile() {
        var measured = new StepProfile();
        for (int i = 0; i < actions.size(); i++) {
            Action action = actions.get(i);
            int slot = measured.slot(action.made().isEmpty() ? "(sent)" : action.made().getLast().toString());
            actions.set(i, new Action(step -> {
                long begin = System.nanoTime();
                action.work().run(step);
                measured.add(slot, System.nanoTime() - begin);
            }, action.view(), action.use(), action.made(), action.exchanges()));
        }
        profile = measured;
        return measured;
    }

    /**
     * Where the time of steps goes: to exchanges with other ranks, and to everything else.
     *
     * @return runs from the first step on
     */
    public StepClock clock() {
        return clock;
    }

    /**
     * Runs a step, or a pass that guesses further tokens.
     *
     * @param step the batch
     * @throws org.maniple.api.transport.TransportException if another rank cannot be reached
     */
    public void run(StepBatch step) {
        long begin = System.nanoTime();
        long exchanging = 0;
        clock.begin();
        current.set(step);
        for (StepView view : allViews) {
            show(step, view);
        }
        boolean guesses = step.kind() == StepBatch.KIND_DRAFT;
        if (guesses && draft != null) {
            draft.recall(step);
        }
        int last = guesses ? actions.size() : draftFrom;
        for (int i = guesses ? draftFrom : 0; i < last; i++) {
            Action action = actions.get(i);
            if (!action.use().by(step)) {
                continue;
            }
            if (action.exchanges()) {
                long from = System.nanoTime();
                action.work().run(action.view());
                exchanging += System.nanoTime() - from;
            } else {
                action.work().run(action.view());
                moveOn();
            }
            if (observer.isPresent()) {
                action.made().forEach(piece -> observer.get().made(piece, tensor(piece), action.view()));
            }
        }
        if (!guesses && draft != null) {
            draft.keep(step);
        }
        long end = System.nanoTime();
        clock.end(end - begin, exchanging);
        if (profile != null) {
            profile.step(begin, end);
        }
    }

    /** The next stage waits for what was sent in the step before, while this one computes. */
    private void moveOn() {
        for (StageLink link : onward) {
            if (link.busy()) {
                communicator.progress();
                return;
            }
        }
    }

    private void show(StepBatch step, StepView view) {
        view.look(step);
        List<Tensor> tokens = tokenTensors.get(view);
        for (int i = 0; tokens != null && i < tokens.size(); i++) {
            tokens.get(i).rows(view.tokens());
        }
        List<Tensor> rows = rowTensors.get(view);
        for (int i = 0; rows != null && i < rows.size(); i++) {
            rows.get(i).rows(view.selectedRows());
        }
        Tensor own = ids.get(view);
        for (int row = 0; own != null && row < view.tokens(); row++) {
            own.segment().setAtIndex(JAVA_INT, row, view.token(row));
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

    /**
     * What the model knows at the selected tokens of the last step if it needed that, on ranks of the last stage.
     *
     * @return {@code [selected rows, …]}; empty if it cannot be had of this model
     */
    public Optional<Tensor> hidden() {
        return program.program().hidden().map(this::tensor);
    }

    /**
     * The merged candidates of the last pass that guessed, on ranks that take part in it.
     *
     * @return {@code [selected rows, 2k+2]}
     */
    public Optional<Tensor> guesses() {
        return program.drafts()
                ? program.program().draft().map(pieces -> tensor(pieces.candidates()))
                : Optional.empty();
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
        var wanted = new ArrayList<List<Integer>>();
        for (Instruction instruction : program.program().code()) {
            switch (instruction) {
                case Instruction.Seam seam -> wanted.add(seam.dimensions());
                case Instruction.Dispatch dispatch -> wanted.add(dispatch.dimensions());
                case Instruction.Combine combine -> wanted.add(combine.dimensions());
                default -> {
                }
            }
        }
        wanted.add(program.program().expertDimensions());
        for (List<Integer> dimensions : wanted) {
            if (!dimensions.isEmpty() && !numbers.containsKey(dimensions)) {
                List<Integer> members = program.program().group(program.rank(), dimensions);
                groups.put(dimensions, communicator.group(next + members.getFirst(), members));
                numbers.put(dimensions, next);
                next += program.program().mesh().ranks();
            }
        }
    }

    /**
     * Memory for a state.
     *
     * @param shift where it begins in its memory, so that the states of a rank do not come to the ends of their large pages all at once: the system
     *     gives zeroed pages as they are first touched, and the step that needs one for each layer would take a multiple of its time
     */
    private Tensor state(Piece state, int blocks, long shift) {
        int positions = Math.multiplyExact(blocks, limits.blockSize());
        int[] shape = new int[state.operand().dims().size()];
        shape[0] = positions;
        for (int i = 1; i < shape.length; i++) {
            shape[i] = program.program().units(state, state.operand().dims().get(i), program.rank()).size();
        }
        return program.program().options().cache().tensor(shape, bytes -> {
            long before = bytes < LARGE_PAGE ? 0 : shift;
            return session.allocate(before + bytes).asSlice(before, bytes);
        });
    }

    /** Operations of one block between two exchanges; attention ends one too, so that memory is given up in between. */
    private List<List<Instruction>> sections() {
        var sections = new ArrayList<List<Instruction>>();
        var open = new ArrayList<Instruction>();
        for (int i = 0; i < program.code().size(); i++) {
            Instruction instruction = program.code().get(i);
            boolean local = instruction instanceof Instruction.Local;
            boolean begins = !local || i == program.draftFrom();
            if (!open.isEmpty() && (begins || open.getLast().layer() != instruction.layer())) {
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
        var plan = new BufferPlan(program, sections, limits);
        var memory = new HashMap<BufferPlan.Slot, MemorySegment>();
        for (BufferPlan.Slot slot : plan.slots()) {
            memory.put(slot, session.allocate(slot.bytes()));
        }
        if (program.drafts()) {
            Piece hidden = program.program().draft().orElseThrow().hidden();
            int[] shape = plan.shape(hidden);
            add(hidden, Tensor.of(DType.F32, shape, session.allocate(4L * shape[0] * program.elements(hidden))));
        }
        for (Instruction instruction : program.code()) {
            for (Piece piece : BufferPlan.made(program, instruction)) {
                MemorySegment segment = Objects.requireNonNull(memory.get(plan.slot(piece)));
                var value = (Value) piece.operand();
                Tensor tensor = Tensor.of(value.dtype(), plan.shape(piece), segment);
                add(piece, value.ragged() ? tensor.ragged(experts.rowsOf(instruction, piece)) : tensor);
            }
            if (instruction instanceof Instruction.Local local) {
                local.inputs().stream().filter(p -> p.operand().equals(program.program().graph().ids())).forEach(this::addIds);
            }
        }
    }

    private void addIds(Piece piece) {
        StepView view = view(piece);
        Tensor tensor = ids.computeIfAbsent(view, v -> {
            int capacity = BufferPlan.capacity(program, piece, limits);
            return Tensor.of(DType.I32, new int[] {capacity}, session.allocate(4L * capacity));
        });
        if (!tensors.containsKey(piece)) {
            add(piece, tensor);
        }
    }

    private void add(Piece piece, Tensor tensor) {
        if (tensors.putIfAbsent(piece, tensor) == null && !tensor.ragged()) {
            (((Value) piece.operand()).has(Axes.ROWS) ? rowTensors : tokenTensors)
                    .computeIfAbsent(view(piece), v -> new ArrayList<>()).add(tensor);
        }
    }

    private void bind(List<Instruction> section) {
        switch (section.getFirst()) {
            case Instruction.Local local -> compile(section);
            case Instruction.Seam seam -> bind(seam);
            case Instruction.Dispatch dispatch -> bind(dispatch);
            case Instruction.Combine combine -> bind(combine);
            case Instruction.Transfer transfer -> bind(transfer);
        }
    }

    private void bind(Instruction.Seam seam) {
        Communicator.Group group = Objects.requireNonNull(groups.get(seam.dimensions()));
        var binding = new Exchange.Binding(program.program(), program.rank(), seam, tensor(seam.from()), tensor(seam.to()),
                communicator,
                group, session::allocate, current);
        Exchange exchange = Exchange.of(binding);
        boolean exchanges = seam.kind() != Instruction.SeamKind.SLICE;
        actions.add(new Action(step -> exchange.run(), view(seam.to()), use(seam), List.of(seam.to()), exchanges));
    }

    private void bind(Instruction.Dispatch dispatch) {
        StepView view = view(dispatch.x());
        Kernel kernel = experts.dispatch(dispatch, this::tensor, view);
        actions.add(new Action(kernel, view, Use.ALWAYS, List.of(dispatch.pairs()), true));
    }

    private void bind(Instruction.Combine combine) {
        Kernel kernel = experts.combine(combine, this::tensor,
                call -> compiled(new ComputeSession.Region(List.of(call), List.of(true)), 0)
                        .kernel());
        actions.add(new Action(kernel, view(combine.sums()), Use.ALWAYS, List.of(combine.sums()), true));
    }

    private void bind(Instruction.Transfer transfer) {
        boolean sends = transfer.fromStage() == program.stage();
        int peer = program.program().peer(program.rank(), sends ? program.stage() + 1 : program.stage() - 1);
        for (Piece piece : transfer.pieces()) {
            Tensor tensor = tensor(piece);
            if (sends) {
                var link = new StageLink(communicator, peer, tensor, session::allocate);
                onward = Arrays.copyOf(onward, onward.length + 1);
                onward[onward.length - 1] = link;
                actions.add(new Action(step -> link.send(), view(piece), Use.ALWAYS, List.of(), true));
            } else {
                var rows = new RowSlices(tensor.segment(), 4L * tensor.width(), tensor.extent(0));
                actions.add(new Action(step -> communicator.receive(peer, rows.first(tensor.rows())), view(piece), Use.ALWAYS,
                        List.of(piece), true));
            }
        }
    }

    /** What comes after the selection of rows makes logits of them, but for what makes the selected rows whole. */
    private Use use(Instruction instruction) {
        Use use = switch (instruction.need()) {
            case ALWAYS -> Use.ALWAYS;
            case FULL_ROWS -> Use.FULL_ROWS;
            case HIDDEN_ROWS -> Use.HIDDEN_ROWS;
        };
        boolean behind = switch (instruction) {
            case Instruction.Local local -> local.node().index() > selection;
            case Instruction.Seam seam -> seam.layer() >= program.program().graph().layers()
                    && ((Value) seam.to().operand()).has(Axes.ROWS) && !seam.to().operand().equals(selected);
            default -> false;
        };
        return use == Use.ALWAYS && behind ? Use.LOGITS : use;
    }

    private void compile(List<Instruction> section) {
        List<Instruction.Local> locals = section.stream().map(Instruction.Local.class::cast).toList();
        List<OpCall> calls = locals.stream().map(this::call).toList();
        var region = new ComputeSession.Region(calls, needed(locals));
        int from = 0;
        while (from < calls.size()) {
            CompiledKernel compiled = compiled(region, from);
            List<Piece> made = locals.subList(from, from + compiled.covers()).stream().flatMap(l -> l.outputs().stream())
                    .toList();
            actions.add(new Action(compiled.kernel(), view(locals.get(from)), use(locals.get(from)), made, false));
            from += compiled.covers();
        }
    }

    private CompiledKernel compiled(ComputeSession.Region region, int from) {
        OpCall call = region.calls().get(from);
        CompiledKernel compiled = session.compile(region, from)
                .orElseGet(() -> new CompiledKernel(new ReferenceKernel(call), 1, REFERENCE + call.op().name()));
        kernels.merge(compiled.description(), compiled.covers(), Integer::sum);
        return compiled;
    }

    /** Outputs that an observer or an instruction outside of the section reads. */
    private List<Boolean> needed(List<Instruction.Local> section) {
        // By identity: to compare instructions means to compare whole weights' descriptions.
        Set<Instruction> inside = Collections.newSetFromMap(new IdentityHashMap<>());
        inside.addAll(section);
        Set<Piece> outside = new HashSet<>(List.of(program.program().logits(), program.program().candidates()));
        program.program().hidden().ifPresent(outside::add);
        program.program().draft().ifPresent(pieces -> outside.addAll(List.of(pieces.source(), pieces.candidates())));
        for (Instruction instruction : program.code()) {
            switch (instruction) {
                case Instruction.Local local when inside.contains(local) -> {
                }
                case Instruction.Local local -> outside.addAll(local.inputs());
                case Instruction.Seam seam -> outside.add(seam.from());
                case Instruction.Dispatch dispatch -> outside.addAll(List.of(dispatch.x(), dispatch.ids(), dispatch.weights()));
                case Instruction.Combine combine -> outside.addAll(List.of(combine.pairs(), combine.ids(), combine.weights()));
                case Instruction.Transfer transfer -> outside.addAll(transfer.pieces());
            }
        }
        return section.stream().map(l -> observer.isPresent() || l.outputs().stream().anyMatch(outside::contains)).toList();
    }

    private OpCall call(Instruction.Local local) {
        var operands = new ArrayList<>(local.inputs());
        operands.addAll(local.outputs());
        return new OpCall(local.node(), local.inputs().stream().map(this::tensor).toList(),
                local.outputs().stream().map(this::tensor).toList(), program.units(operands), program.leaves(local));
    }
}
