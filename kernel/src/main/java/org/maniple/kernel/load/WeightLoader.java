package org.maniple.kernel.load;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongFunction;
import java.util.stream.Collectors;
import org.maniple.api.checkpoint.Checkpoint;
import org.maniple.api.checkpoint.CheckpointException;
import org.maniple.api.graph.Axes;
import org.maniple.api.graph.Axis;
import org.maniple.api.graph.Dim;
import org.maniple.api.graph.Parameter;
import org.maniple.api.graph.TensorView;
import org.maniple.api.tensor.BlockRows;
import org.maniple.api.tensor.BlockScales;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.Tensor;
import org.maniple.api.tensor.UnitList;
import org.maniple.api.tensor.WeightLayout;
import org.maniple.kernel.program.Piece;
import org.maniple.kernel.program.RankProgram;

/**
 * Brings a rank's slices of the weights into its memory. A slice whose elements are stored one after the other is mapped, and nothing
 * around it; any other is copied from a mapping that is given up at once. Tensors that the rank's program does not use are never touched.
 *
 * <p>Weights whose first axis is {@link Axes#EXPERTS} become stacked tensors, whose slots are mapped or copied one by one. FP8 weights stay
 * as they are and get a factor for each row and block of columns ({@link Tensor#scales}). MXFP4 weights become BF16. Of a weight of a block
 * type whole blocks are held ({@link Tensor#blockRows}). What a back end wants in a layout of its own is packed. Weights that are the same part
 * of the same stored tensor, as an embedding and a head can be, are one tensor.
 *
 * <p>{@link #slot} may be called by any thread at any time; the rest by one thread, which loads with others ({@link Packing#threads()}).
 */
public final class WeightLoader {

    /** Names in a line. */
    private static final int SHOWN = 3;

    private final Checkpoint checkpoint;
    private final Quantization quantization;
    private final WeightSource source;
    private final Arena arena;
    private final LongFunction<MemorySegment> memory;
    private final Optional<WeightCache> cache;
    private final Packing packing;
    private final SliceReader reader;
    private final SlicePacker packer;
    private final WeightSlices slices;
    /** By identity: a program is too large to be compared. */
    private final Map<RankProgram, SharedWeights> shared = Collections.synchronizedMap(new IdentityHashMap<>());
    private final Map<RankProgram, WeightUses> uses = Collections.synchronizedMap(new IdentityHashMap<>());
    private final Map<RankProgram, Map<Piece, Long>> sizes = Collections.synchronizedMap(new IdentityHashMap<>());
    private final LongAdder packedBytes = new LongAdder();
    private final LongAdder replicatedBytes = new LongAdder();

    /**
     * A loader for one rank, which holds weights as they are stored.
     *
     * @param checkpoint where the weights are
     * @param quantization what the model's configuration says about them
     * @param arena mappings live as long as it does
     * @param memory gives memory for slices that are copied
     */
    public WeightLoader(Checkpoint checkpoint, Quantization quantization, Arena arena, LongFunction<MemorySegment> memory) {
        this(checkpoint, quantization, arena, memory, Packing.NONE);
    }

    /**
     * A loader for one rank.
     *
     * @param checkpoint where the weights are
     * @param quantization what the model's configuration says about them
     * @param arena mappings live as long as it does
     * @param memory gives memory for slices that are copied or packed
     * @param packing which layouts the back end wants
     */
    public WeightLoader(Checkpoint checkpoint, Quantization quantization, Arena arena, LongFunction<MemorySegment> memory,
            Packing packing) {
        this(checkpoint, quantization, arena, memory, packing, Optional.empty());
    }

    /**
     * A loader for one rank.
     *
     * @param checkpoint where the weights are
     * @param quantization what the model's configuration says about them
     * @param arena mappings live as long as it does
     * @param memory gives memory for slices that are copied or packed
     * @param packing which layouts the back end wants
     * @param cache where weights are found, or kept for the next time
     */
    public WeightLoader(Checkpoint checkpoint, Quantization quantization, Arena arena, LongFunction<MemorySegment> memory,
            Packing packing, Optional<WeightCache> cache) {
        this.arena = arena;
        this.cache = cache;
        this.checkpoint = checkpoint;
        this.quantization = quantization;
        this.memory = bytes -> {
            synchronized (this) {
                return memory.apply(bytes);
            }
        };
        this.packing = packing;
        this.source = new WeightSource(checkpoint, quantization);
        this.reader = new SliceReader(source, arena, packing.threads());
        this.packer = new SlicePacker(source, reader);
        this.slices = new WeightSlices(quantization, name -> reader.stored(name).dtype());
    }

    /** Is told how far loading has come. */
    @FunctionalInterface
    public interface Progress {
        /**
         * Some more is loaded.
         *
         * @param done bytes so far
         * @param total bytes in all
         */
        void loaded(long done, long total);
    }

    /**
     * Loads.
     *
     * @param program the rank's program
     * @param progress is told after each weight
     * @return the tensors by piece
     * @throws CheckpointException if tensors are missing, or of another shape or type; names all of them
     */
    public Map<Piece, Tensor> load(RankProgram program, Progress progress) {
        Map<Piece, Long> sizes = sizes(program);
        long total = bytes(program);
        List<Piece> pieces = shared(program).held();
        var tensors = new HashMap<Piece, Tensor>();
        var done = new long[1];
        try (HeldWeights held = cache.map(known -> known.open(slices(program), memory, packing.threads(), arena))
                .orElseGet(() -> HeldWeights.in(memory))) {
            // Small weights are one chunk each, so threads take whole weights; what is larger is divided among them besides. In a cache
            // file weights have an order.
            Parallel.run(cache.isPresent() ? 1 : packing.threads(), pieces.size(), i -> {
                Piece piece = pieces.get(i);
                Tensor tensor = load(program, piece, held);
                synchronized (tensors) {
                    tensors.put(piece, tensor);
                    done[0] += Objects.requireNonNull(sizes.get(piece));
                    progress.loaded(done[0], total);
                }
            });
            held.complete();
        }
        for (Piece piece : program.weights()) {
            tensors.put(piece, Objects.requireNonNull(tensors.get(shared(program).holder(piece))));
        }
        return tensors;
    }

    private SharedWeights shared(RankProgram program) {
        return shared.computeIfAbsent(program, SharedWeights::of);
    }

    /** Everything but the checkpoint that decides what is held. */
    private String slices(RankProgram program) {
        var text = new StringBuilder(quantization.key());
        for (Piece piece : shared(program).held()) {
            var parameter = (Parameter) piece.operand();
            Map<Axis, UnitList> units = WeightSlices.units(program, piece);
            StoredSlice part = slices.part(parameter, units);
            text.append('\n').append(parameter.name()).append(' ').append(parameter.dims()).append(' ').append(parameter.source())
                    .append(' ').append(new TreeMap<>(units.entrySet().stream()
                            .collect(Collectors.toMap(own -> own.getKey().toString(), own -> own.getValue().toString()))))
                    .append(' ').append(part.encoding())
                    .append(WeightSlices.byExpert(parameter) ? program.expertSlots(piece) : "")
                    .append(wanted(program, piece, part).map(wanted -> " " + wanted.layout().name() + " by "
                            + wanted.layout().rowsTogether()).orElse(""))
                    .append(' ').append(bytes(program, piece));
        }
        return text.toString();
    }

    /**
     * Loads what one slot of a stacked weight needs to hold an expert, for whoever moves experts between ranks while the model runs:
     * the memory is to be put in place by {@link Tensor#replace} between two steps, in the tensor and in that of its factors.
     *
     * @param program the rank's program
     * @param piece a weight whose first axis is {@link Axes#EXPERTS}
     * @param expert which expert; this rank need not have it
     * @param slotMemory gives memory for what cannot be used where it is mapped: all of MXFP4, the factors of FP8, slices of columns
     * @return the slot; what is mapped lives as long as the arena of this loader
     * @throws CheckpointException if the file cannot be read
     */
    public ExpertSlot slot(RankProgram program, Piece piece, int expert, LongFunction<MemorySegment> slotMemory) {
        var parameter = (Parameter) piece.operand();
        if (!WeightSlices.byExpert(parameter) || expert < 0 || expert >= parameter.dims().getFirst().extent()) {
            throw new IllegalArgumentException("expert " + expert + " of " + parameter.name() + " " + parameter.dims());
        }
        StoredSlice slice = slices.slice(parameter, WeightSlices.units(program, piece), expert);
        Optional<Wanted> wanted = wanted(program, piece, slice);
        HeldWeights held = HeldWeights.in(slotMemory);
        MemorySegment elements = wanted.isPresent()
                ? packed(slice, wanted.get(), held, 1)
                : reader.elements(slice, held);
        return new ExpertSlot(elements, reader.factors(slice, held));
    }

    /** A matrix and the layout that the back end wants it to be held in. */
    private record Wanted(WeightLayout.Weight weight, WeightLayout layout) {
        long bytes() {
            return layout.bytes(weight.rows());
        }
    }

    private Optional<Wanted> wanted(RankProgram program, Piece piece, StoredSlice slice) {
        if (((Parameter) piece.operand()).source() instanceof TensorView.Stacked
                && !WeightSlices.byExpert((Parameter) piece.operand())) {
            return Optional.empty();
        }
        return uses.computeIfAbsent(program, own -> WeightUses.of(own, shared(own))).matrix(piece, slice)
                .flatMap(weight -> packing.layouts().apply(weight).map(layout -> new Wanted(weight, layout)));
    }

    private MemorySegment packed(StoredSlice slice, Wanted wanted, HeldWeights held, int threads) {
        return held.hold(wanted.bytes(), target -> {
            packer.pack(slice, wanted.weight(), wanted.layout(), target, threads);
            packedBytes.add(wanted.bytes());
        });
    }

    /**
     * Looks for all weights of a model in a checkpoint's headers, without reading any.
     *
     * @param checkpoint the checkpoint
     * @param quantization how its weights are quantised
     * @param parameters the model's weights
     * @throws CheckpointException if tensors are missing, or of another shape or type; names all of them
     */
    public static void check(Checkpoint checkpoint, Quantization quantization, List<Parameter> parameters) {
        new CheckpointCheck(checkpoint, quantization).check(parameters);
    }

    /**
     * How many bytes of weights a rank needs, by the checkpoint's headers: as it holds them, with their factors, and each once.
     *
     * @param program the rank's program
     * @return bytes
     * @throws CheckpointException if tensors are missing, or of another shape or type; names all of them
     */
    public long bytes(RankProgram program) {
        return sizes(program).values().stream().mapToLong(Long::longValue).sum();
    }

    /**
     * What becomes of weights that are not held as they are stored.
     *
     * @param program the rank's program
     * @return lines to show; none if there are no such weights
     */
    public List<String> remarks(RankProgram program) {
        var counted = new TreeMap<String, Integer>();
        var floats = new ArrayList<String>();
        Set<Parameter> multiplied = QuantizedWeights.multiplied(program.program().graph());
        for (Piece piece : program.weights()) {
            var parameter = (Parameter) piece.operand();
            String name = parameter.source().tensors().keySet().iterator().next();
            Optional<DType> held = source.converted(name).map(tensor -> tensor.seen().dtype());
            held.ifPresent(type -> counted.merge(type.name().toLowerCase(Locale.ROOT), 1, Integer::sum));
            boolean stays = held.isEmpty() && !quantization.conversions().isEmpty() && multiplied.contains(parameter);
            if (stays || held.filter(type -> !type.blocked()).isPresent()) {
                floats.add(parameter.name());
            }
        }
        if (counted.isEmpty()) {
            return List.of();
        }
        String shown = String.join(", ", floats.subList(0, Math.min(SHOWN, floats.size())));
        String rest = floats.isEmpty()
                ? ""
                : (quantization.integers().isPresent()
                        ? "; floats, since blocks do not have their groups or zero points: "
                        : "; as they are stored, since they are routers or have rows that are no whole blocks: ") + shown
                        + (floats.size() > SHOWN ? " and " + (floats.size() - SHOWN) + " more" : "");
        return List.of("weights" + quantization.integers().map(format -> " of " + format).orElse("") + " are held as "
                + String.join(", ",
                        counted.entrySet().stream().map(type -> type.getKey() + " (" + type.getValue() + ")").toList())
                + rest);
    }

    /**
     * What has been loaded so far.
     *
     * @param program the rank's program
     * @return the bytes
     */
    public LoadReport report(RankProgram program) {
        var counted = new HashSet<TensorView>();
        long model = 0;
        for (Parameter parameter : program.program().graph().parameters()) {
            if (counted.add(parameter.source())) {
                model += wholeBytes(parameter);
            }
        }
        return new LoadReport(reader.mappedBytes() + cache.map(WeightCache::mappedBytes).orElse(0L),
                reader.copiedBytes() + packedBytes.sum(), replicatedBytes.sum(), model);
    }

    private long wholeBytes(Parameter parameter) {
        var units = new HashMap<Axis, UnitList>();
        parameter.dims().forEach(dim -> units.put(dim.axis(), UnitList.range(0, dim.extent())));
        return parameter.source() instanceof TensorView.Stacked stacked
                ? stacked.units() * slices.slice(parameter, units, 0).bytes()
                : slices.slice(parameter, units).bytes();
    }

    /** The bytes of each weight, of which the headers of the checkpoint have been checked then. */
    private Map<Piece, Long> sizes(RankProgram program) {
        return sizes.computeIfAbsent(program, own -> {
            check(checkpoint, quantization, own.weights().stream().map(p -> (Parameter) p.operand()).toList());
            var bytes = new HashMap<Piece, Long>();
            shared(own).held().forEach(piece -> bytes.put(piece, bytes(own, piece)));
            return bytes;
        });
    }

    private long bytes(RankProgram program, Piece piece) {
        var parameter = (Parameter) piece.operand();
        Map<Axis, UnitList> units = WeightSlices.units(program, piece);
        StoredSlice part = slices.part(parameter, units);
        long held = wanted(program, piece, part).map(Wanted::bytes).orElseGet(part::elementBytes) + part.factorBytes();
        return slices.parts(program, piece, units) * held;
    }

    private Tensor load(RankProgram program, Piece piece, HeldWeights held) {
        var parameter = (Parameter) piece.operand();
        Map<Axis, UnitList> units = WeightSlices.units(program, piece);
        List<Integer> slots = WeightSlices.byExpert(parameter) ? program.expertSlots(piece) : List.of();
        int[] shape = new int[parameter.dims().size()];
        for (int i = 0; i < shape.length; i++) {
            UnitList own = units.get(parameter.dims().get(i).axis());
            shape[i] = own == null ? slots.size() : own.size();
        }
        if (Arrays.equals(shape, parameter.dims().stream().mapToInt(Dim::extent).toArray())) {
            replicatedBytes.add(Objects.requireNonNull(sizes(program).get(piece)));
        }
        if (WeightSlices.byExpert(parameter)) {
            return stacked(program, piece, units, slots, shape, held);
        }
        if (parameter.source() instanceof TensorView.Stacked stacked) {
            return joined(parameter, stacked, units, shape, held);
        }
        StoredSlice slice = slices.slice(parameter, units);
        Tensor tensor = wanted(program, piece, slice)
                .map(wanted -> Tensor.packed(slice.encoding().held(), shape, wanted.weight().columns(), wanted.layout(),
                        packed(slice, wanted, held, packing.threads())))
                .orElseGet(() -> tensor(slice, shape, reader.elements(slice, held)));
        return scaled(tensor, slice, shape, reader.factors(slice, held));
    }

    /** A tensor that is held as it is stored. */
    private static Tensor tensor(StoredSlice slice, int[] shape, MemorySegment elements) {
        return slice.blocks().map(blocks -> Tensor.blocked(blocks.type(), shape, blocks.columns(), elements))
                .orElseGet(() -> Tensor.of(slice.encoding().held(), shape, elements));
    }

    private static Tensor scaled(Tensor tensor, StoredSlice slice, int[] shape, Optional<MemorySegment> factors) {
        return factors.map(segment -> {
            List<Integer> ends = slice.scales().orElseThrow().ends();
            return tensor.scaled(new BlockScales(ends, Tensor.of(DType.F32, factorShape(slice, shape), segment)));
        }).orElse(tensor);
    }

    /** The rows of a slice of some shape, and the blocks of its columns. */
    private static int[] factorShape(StoredSlice slice, int[] shape) {
        int rows = shape.length - ScaleLayout.columns(slice.dims(), slice.stored()).orElseThrow();
        int[] factors = Arrays.copyOf(shape, rows + 1);
        factors[rows] = slice.scales().orElseThrow().ends().size();
        return factors;
    }

    private Tensor stacked(RankProgram program, Piece piece, Map<Axis, UnitList> units, List<Integer> slots, int[] shape,
            HeldWeights held) {
        var parameter = (Parameter) piece.operand();
        var elements = new ArrayList<MemorySegment>();
        var factors = new ArrayList<MemorySegment>();
        StoredSlice any = slices.slice(parameter, units, 0);
        Optional<Wanted> wanted = wanted(program, piece, any);
        for (int expert : slots) {
            StoredSlice slice = slices.slice(parameter, units, expert);
            elements.add(wanted.isPresent()
                    ? packed(slice, wanted.get(), held, packing.threads())
                    : reader.elements(slice, held));
            reader.factors(slice, held).ifPresent(factors::add);
        }
        Optional<BlockRows> rows = wanted.map(w -> w.weight().columns()).or(() -> any.blocks().map(BlockLayout::columns));
        Tensor tensor = rows.isPresent()
                ? Tensor.stacked(any.encoding().held(), shape, rows.get(), wanted.map(Wanted::layout), elements)
                : Tensor.stacked(any.encoding().held(), shape, elements);
        return any.scales().map(scales -> tensor.scaled(new BlockScales(scales.ends(),
                Tensor.stacked(DType.F32, factorShape(any, shape), factors)))).orElse(tensor);
    }

    /** Several tensors, one behind the other: whatever is stored in one tensor for each unit of an axis that is not that of experts. */
    private Tensor joined(Parameter parameter, TensorView.Stacked view, Map<Axis, UnitList> units, int[] shape,
            HeldWeights held) {
        if (!parameter.dims().getFirst().axis().equals(view.axis())) {
            throw new IllegalArgumentException(parameter + ": the stacked axis " + view.axis() + " must be the first");
        }
        UnitList own = Objects.requireNonNull(units.get(view.axis()));
        StoredSlice any = slices.slice(parameter, units, 0);
        MemorySegment elements = held.hold(own.size() * any.elementBytes(), target -> {
            for (int i = 0; i < own.size(); i++) {
                reader.copy(slices.slice(parameter, units, own.get(i)),
                        target.asSlice(i * any.elementBytes(), any.elementBytes()));
            }
        });
        MemorySegment factors = held.hold(own.size() * any.factorBytes(), target -> {
            for (int i = 0; i < own.size(); i++) {
                StoredSlice slice = slices.slice(parameter, units, own.get(i));
                MemorySegment part = target.asSlice(i * any.factorBytes(), any.factorBytes());
                slice.scales().ifPresent(scales -> reader.expand(slice, scales, part));
            }
        });
        return scaled(tensor(any, shape, elements), any, shape, any.scales().map(s -> factors));
    }
}
