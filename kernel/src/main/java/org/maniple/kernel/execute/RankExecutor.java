package org.maniple.kernel.execute;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
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
import java.util.stream.Stream;
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
import org.maniple.kernel.execute.Action.Use;
import org.maniple.kernel.program.CacheType;
import org.maniple.kernel.program.Instruction;
import org.maniple.kernel.program.MeshProgram;
import org.maniple.kernel.program.Piece;
import org.maniple.kernel.program.RankProgram;
import org.maniple.kernel.program.TokenSplit;
import org.maniple.kernel.step.StepBatch;
import org.maniple.kernel.step.StepHalves;
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
    /** Weights and states, and what steps make. */
    private final Map<Piece, Tensor> tensors;
    /** Activations that have rows for tokens or for selected rows of a view; those of experts have their rows otherwise. */
    private final Map<StepView, List<Tensor>> tokenTensors = new HashMap<>();
    private final Map<StepView, List<Tensor>> rowTensors = new HashMap<>();
    private final Map<StepView, Tensor> ids = new HashMap<>();
    private final Exchanges opener;
    private final Course actions;
    private final Map<List<Integer>, Communicator.Group> groups = new HashMap<>();
    private final Map<String, Integer> kernels = new TreeMap<>();
    private final @Nullable Value selected;
    /** The number of the operation that selects rows. */
    private final int selection;
    private final ExpertBinder experts;
    private final StepClock clock = new StepClock();
    private @Nullable RankExecutor beside;
    private @Nullable OverlappedSteps overlapped;
    private @Nullable DraftMemory draft;
    /** The first action that belongs to passes that guess. */
    private int draftFrom;
    private @Nullable StepProfile profile;

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
        this(program, limits, session, communicator, withStates(program, limits, blocks, session, weights),
                ExpertBinder.tables(program), exchanges, observer);
    }

    /** @param held weights and states; becomes the executor's own */
    private RankExecutor(RankProgram program, StepBatch.Limits limits, ComputeSession session, Communicator communicator,
            Map<Piece, Tensor> held, Map<Integer, ExpertTable> tables, Exchanges exchanges, Optional<Observer> observer) {
        this.program = program;
        this.current = new CurrentBatch(new StepBatch(limits, 1, 1));
        this.limits = limits;
        this.session = session;
        this.communicator = communicator;
        this.observer = observer;
        this.tensors = held;
        this.opener = exchanges;
        this.actions = new Course(communicator, observer.isPresent() ? this::show : action -> {});
        this.selected = program.program().graph().selected().orElse(null);
        this.selection = program.program().graph().nodes().stream().filter(node -> node.op() instanceof BuiltinOp.Select)
                .mapToInt(Node::index).findFirst().orElse(Integer.MAX_VALUE);
        makeGroups();
        List<List<Instruction>> sections = sections();
        experts = new ExpertBinder(program, limits, session, communicator, groups, exchanges, current, tables);
        allocate(sections);
        bindAll(sections);
        allViews = views.values().toArray(StepView[]::new);
    }

    private static Map<Piece, Tensor> withStates(RankProgram program, StepBatch.Limits limits, int blocks, ComputeSession session,
            Map<Piece, Tensor> weights) {
        var held = new HashMap<>(weights);
        int states = 0;
        for (Piece state : program.states()) {
            held.put(state, state(program, limits, session, state, blocks,
                    LARGE_PAGE * states++ / program.states().size() / ALIGNMENT * ALIGNMENT));
        }
        return held;
    }

    private Map<Piece, Tensor> held() {
        var held = new HashMap<Piece, Tensor>();
        tensors.forEach((piece, tensor) -> {
            if (!(piece.operand() instanceof Value)) {
                held.put(piece, tensor);
            }
        });
        return held;
    }

    /**
     * From now on steps of many tokens are computed in two halves: while what one of them exchanges with other ranks is on its way, the other one
     * computes. Results are the same, bit for bit. Takes half as much memory again as steps do. To be called on all ranks of the unit alike, before the
     * first step.
     *
     * @param thresholds from how many tokens on
     * @param blocks KV blocks in all
     * @throws IllegalArgumentException if passes that guess follow steps: these go on from the rows of whole steps
     */
    public void overlap(OverlapThresholds thresholds, int blocks) {
        if (program.program().draft().isPresent()) {
            throw new IllegalArgumentException("Steps cannot be computed in halves where a layer of the model guesses tokens");
        }
        var other = new RankExecutor(program, StepHalves.half(limits), session, communicator, held(), experts.tables(), opener,
                observer);
        boolean answers = program.program().resultRank() == program.rank();
        beside = other;
        overlapped = new OverlappedSteps(thresholds, actions, other.actions,
                new StepHalves(limits, blocks, program.program().graph().vocabulary()),
                answers ? new OverlappedSteps.Joined(candidates(), other.candidates()) : null,
                answers ? new OverlappedSteps.Joined(logits(), other.logits()) : null,
                answers
                        ? hidden().map(rows -> new OverlappedSteps.Joined(rows, other.hidden().orElseThrow())).orElse(null)
                        : null);
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
        List<PairExchange> own = experts.exchanges();
        return beside == null ? own : Stream.concat(own.stream(), beside.exchanges().stream()).toList();
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
        actions.measure(measured);
        if (beside != null) {
            beside.actions.measure(measured);
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
        clock.begin();
        boolean halves = overlapped != null && overlapped.cut(step);
        long exchanging = halves ? runHalves(step) : runWhole(step);
        long end = System.nanoTime();
        clock.end(end - begin, exchanging, halves);
        if (profile != null) {
            profile.step(begin, end);
        }
    }

    /** How long it has exchanged, in nanoseconds. */
    private long runHalves(StepBatch step) {
        RankExecutor other = Objects.requireNonNull(beside);
        OverlappedSteps halves = Objects.requireNonNull(overlapped);
        begin(halves.firstHalf());
        actions.begin(halves.firstHalf(), 0, draftFrom);
        other.begin(halves.secondHalf());
        other.actions.begin(halves.secondHalf(), 0, other.draftFrom);
        halves.run(step);
        return actions.exchanging() + other.actions.exchanging();
    }

    private long runWhole(StepBatch step) {
        begin(step);
        boolean guesses = step.kind() == StepBatch.KIND_DRAFT;
        if (guesses && draft != null) {
            draft.recall(step);
        }
        actions.run(step, guesses ? draftFrom : 0, guesses ? actions.size() : draftFrom);
        if (!guesses && draft != null) {
            draft.keep(step);
        }
        return actions.exchanging();
    }

    private void begin(StepBatch step) {
        current.set(step);
        for (StepView view : allViews) {
            look(step, view);
        }
    }

    private void show(Action action) {
        action.made().forEach(piece -> observer.orElseThrow().made(piece, tensor(piece), action.view()));
    }

    private void look(StepBatch step, StepView view) {
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
    private static Tensor state(RankProgram program, StepBatch.Limits limits, ComputeSession session, Piece state, int blocks,
            long shift) {
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
        StepView view = view(seam.to());
        actions.add(seam.kind() == Instruction.SeamKind.SLICE
                ? Action.of(exchange, view, use(seam), List.of(seam.to()), false)
                : Action.of(exchange, view, use(seam), List.of(seam.to())));
    }

    private void bind(Instruction.Dispatch dispatch) {
        StepView view = view(dispatch.x());
        Kernel kernel = experts.dispatch(dispatch, this::tensor, view);
        List<Piece> made = List.of(dispatch.pairs());
        actions.add(kernel instanceof Exchanging exchange
                ? Action.of(exchange, view, Use.ALWAYS, made)
                : Action.of(kernel, view, Use.ALWAYS, made, true));
    }

    private void bind(Instruction.Combine combine) {
        Exchanging exchange = experts.combine(combine, this::tensor,
                call -> compiled(new ComputeSession.Region(List.of(call), List.of(true)), 0)
                        .kernel());
        actions.add(Action.of(exchange, view(combine.sums()), Use.ALWAYS, List.of(combine.sums())));
    }

    private void bind(Instruction.Transfer transfer) {
        boolean sends = transfer.fromStage() == program.stage();
        int peer = program.program().peer(program.rank(), sends ? program.stage() + 1 : program.stage() - 1);
        List<Piece> pieces = transfer.pieces();
        if (sends) {
            List<StageLink> links = pieces.stream()
                    .map(piece -> new StageLink(communicator, peer, tensor(piece), session::allocate)).toList();
            links.forEach(actions::sends);
            actions.add(Action.of(new StageDeparture(links), view(pieces.getFirst()), Use.ALWAYS, List.of()));
        } else {
            var arrival = new StageArrival(communicator, peer, pieces.stream().map(this::tensor).toList());
            actions.add(Action.of(arrival, view(pieces.getFirst()), Use.ALWAYS, List.of(pieces.getFirst())));
            for (int i = 1; i < pieces.size(); i++) {
                int one = i;
                actions.add(Action.of(step -> arrival.end(one), view(pieces.get(i)), Use.ALWAYS, List.of(pieces.get(i)), true));
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
            actions.add(Action.of(compiled.kernel(), view(locals.get(from)), use(locals.get(from)), made, false));
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
