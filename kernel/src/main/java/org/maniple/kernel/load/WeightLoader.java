package org.maniple.kernel.load;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.LongFunction;
import org.maniple.api.checkpoint.Checkpoint;
import org.maniple.api.checkpoint.CheckpointException;
import org.maniple.api.checkpoint.StoredTensor;
import org.maniple.api.graph.Axis;
import org.maniple.api.graph.Dim;
import org.maniple.api.graph.Parameter;
import org.maniple.api.graph.TensorView;
import org.maniple.api.graph.TensorView.StoredDim;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.Tensor;
import org.maniple.api.tensor.UnitList;
import org.maniple.kernel.program.Piece;
import org.maniple.kernel.program.RankProgram;

/**
 * Brings a rank's slices of the weights into its memory. A slice whose elements are stored one after the other is mapped, and nothing
 * around it; any other is copied from a mapping that is given up at once. Tensors that the rank's program does not use are never touched.
 */
public final class WeightLoader {

    private static final int MAX_PROBLEMS = 20;

    /** A part of a stored tensor that is used where it is mapped. */
    private record Range(String tensor, long offset, long length) {}

    private final Checkpoint checkpoint;
    private final Arena arena;
    private final LongFunction<MemorySegment> memory;
    private final Map<Range, MemorySegment> mapped = new HashMap<>();
    private long copiedBytes;
    private long replicatedBytes;

    /**
     * A loader for one rank.
     *
     * @param checkpoint where the weights are
     * @param arena mappings live as long as it does
     * @param memory gives memory for slices that are copied
     */
    public WeightLoader(Checkpoint checkpoint, Arena arena, LongFunction<MemorySegment> memory) {
        this.checkpoint = checkpoint;
        this.arena = arena;
        this.memory = memory;
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
     * @throws CheckpointException if tensors are missing or of another shape; names all of them
     */
    public Map<Piece, Tensor> load(RankProgram program, Progress progress) {
        long total = bytes(program);
        long done = 0;
        var tensors = new HashMap<Piece, Tensor>();
        for (Piece piece : program.weights()) {
            tensors.put(piece, load(program, piece));
            done += sliceBytes(program, piece);
            progress.loaded(done, total);
        }
        return tensors;
    }

    /**
     * How many bytes of weights a rank needs, by the checkpoint's headers.
     *
     * @param program the rank's program
     * @return bytes
     * @throws CheckpointException if tensors are missing or of another shape; names all of them
     */
    public long bytes(RankProgram program) {
        check(program.weights().stream().map(p -> (Parameter) p.operand()).toList());
        return program.weights().stream().mapToLong(p -> sliceBytes(program, p)).sum();
    }

    /**
     * What has been loaded so far.
     *
     * @param program the rank's program
     * @return the bytes
     */
    public LoadReport report(RankProgram program) {
        long mappedBytes = mapped.keySet().stream().mapToLong(Range::length).sum();
        var counted = new HashSet<TensorView>();
        long model = 0;
        for (Parameter parameter : program.program().graph().parameters()) {
            if (counted.add(parameter.source())) {
                model += parameter.dims().stream().mapToLong(Dim::extent).reduce(1, Math::multiplyExact)
                        * dtype(parameter).bytes();
            }
        }
        return new LoadReport(mappedBytes, copiedBytes, replicatedBytes, model);
    }

    private long sliceBytes(RankProgram program, Piece piece) {
        return program.elements(piece) * dtype((Parameter) piece.operand()).bytes();
    }

    private DType dtype(Parameter parameter) {
        return stored(names(parameter.source()).getFirst()).dtype();
    }

    private StoredTensor stored(String name) {
        return checkpoint.tensor(name).orElseThrow(() -> new CheckpointException("tensor " + name + " is missing"));
    }

    private Tensor load(RankProgram program, Piece piece) {
        var parameter = (Parameter) piece.operand();
        Map<Axis, UnitList> units = program.units(piece);
        int[] shape = parameter.dims().stream().mapToInt(d -> program.program().units(piece, d, program.rank()).size()).toArray();
        boolean replicated = Arrays.equals(shape, parameter.dims().stream().mapToInt(Dim::extent).toArray());
        long bytes = sliceBytes(program, piece);
        replicatedBytes += replicated ? bytes : 0;
        MemorySegment segment = bytes == 0 ? MemorySegment.NULL : switch (parameter.source()) {
            case TensorView.Stored view -> load(view.tensor(), SliceLayout.of(parameter.dims(), view.dims(), units));
            case TensorView.Stacked view -> stack(view, parameter, units, bytes);
            case TensorView.Mxfp4 view -> throw new CheckpointException("tensor " + view.blocks() + ": MXFP4 cannot be loaded");
        };
        return Tensor.of(dtype(parameter), shape, segment);
    }

    private MemorySegment load(String tensor, SliceLayout layout) {
        int size = stored(tensor).dtype().bytes();
        long first = layout.contiguous();
        if (first >= 0) {
            var range = new Range(tensor, first * size, layout.elements() * size);
            return mapped.computeIfAbsent(range, r -> checkpoint.map(r.tensor(), r.offset(), r.length(), arena));
        }
        MemorySegment target = memory.apply(layout.elements() * size);
        copy(tensor, layout, target, 0);
        return target;
    }

    private MemorySegment stack(TensorView.Stacked view, Parameter parameter, Map<Axis, UnitList> units, long bytes) {
        MemorySegment target = memory.apply(bytes);
        List<Dim> inner = parameter.dims().stream().filter(d -> !d.axis().equals(view.axis())).toList();
        if (!parameter.dims().getFirst().axis().equals(view.axis())) {
            throw new IllegalArgumentException(parameter + ": the stacked axis " + view.axis() + " must be the first");
        }
        SliceLayout layout = SliceLayout.of(inner, view.dims(), units);
        UnitList own = Objects.requireNonNull(units.get(view.axis()));
        for (int i = 0; i < own.size(); i++) {
            copy(view.pattern().replace("{}", Integer.toString(own.get(i))), layout, target, i * (bytes / own.size()));
        }
        return target;
    }

    private void copy(String tensor, SliceLayout layout, MemorySegment target, long offset) {
        int size = stored(tensor).dtype().bytes();
        long[] span = layout.span();
        try (Arena window = Arena.ofShared()) {
            MemorySegment source = checkpoint.map(tensor, span[0] * size, (span[1] - span[0]) * size, window);
            layout.forEachRun((from, to, count) -> MemorySegment.copy(source, (from - span[0]) * size, target, offset + to * size,
                    count * size));
        }
        copiedBytes += layout.elements() * size;
    }

    /** Looks for every tensor before any is read, so that all that is wrong is said at once. */
    private void check(List<Parameter> parameters) {
        var problems = new ArrayList<String>();
        for (Parameter parameter : parameters) {
            parameter.source().tensors().forEach((name, shape) -> problem(name, shape).ifPresent(problems::add));
        }
        if (!problems.isEmpty()) {
            int more = problems.size() - MAX_PROBLEMS;
            throw new CheckpointException("the checkpoint does not fit its config.json:\n  "
                    + String.join("\n  ", problems.subList(0, Math.min(MAX_PROBLEMS, problems.size())))
                    + (more > 0 ? "\n  and " + more + " more" : ""));
        }
    }

    private Optional<String> problem(String name, List<Long> shape) {
        Optional<StoredTensor> found = checkpoint.tensor(name);
        if (found.isEmpty()) {
            return Optional.of("tensor " + name + ": expected " + shape + ", but there is no such tensor");
        }
        StoredTensor tensor = found.get();
        if (!tensor.shape().equals(shape)) {
            return Optional.of("tensor " + name + ": expected " + shape + ", found " + tensor.dtype() + tensor.shape() + " in "
                    + tensor.file());
        }
        return switch (tensor.dtype()) {
            case F32, F16, BF16 -> Optional.empty();
            default -> Optional.of("tensor " + name + ": type " + tensor.dtype() + " in " + tensor.file()
                    + " cannot be computed with; F32, F16 and BF16 can");
        };
    }

    private static List<String> names(TensorView source) {
        return List.copyOf(source.tensors().keySet());
    }
}
