package org.maniple.compute.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import org.maniple.api.ManipleException;
import org.maniple.api.compute.ComputeSession;
import org.maniple.api.graph.BuiltinOp;
import org.maniple.api.graph.OpCall;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.Tensor;
import org.maniple.api.tensor.WeightLayout;

/** The processor at work for one rank. */
final class CpuSession implements ComputeSession {

    private static final long ALIGNMENT = 64;
    /** From this size on memory is mapped: a cache may be larger than what will ever be used of it. */
    private static final long MAPPED = 1 << 20;
    /** What is smaller is cut from mappings of this size: their pages are touched first by who writes them, and not by whoever asks for the memory. */
    private static final long ROOM = 16L << 20;
    private static final String DESCRIPTION = "vector api " + VectorWidth.BITS + " bits";

    private final Arena arena = Arena.ofShared();
    private final Optional<LinuxCalls> linux = LinuxCalls.find();
    private final Workers workers;
    private final Shared shared;
    private final Fusion fusion;
    private final Optional<WarmUp> warmUp;
    private long allocated;
    private MemorySegment room = MemorySegment.NULL;

    /** A session whose kernels become fast as they are used. */
    CpuSession(int threads, int processors) {
        this(threads, processors, LatentForm.ABSORBED, new VectorProducts(), new Precision(true, false), Optional.empty());
    }

    /** A session without native functions. */
    CpuSession(int threads, int processors, LatentForm latentForm, Products products, Precision precision,
            Optional<WarmUp> warmUp) {
        this(new Workers(threads, processors), latentForm, products, precision, warmUp, Optional.empty());
    }

    /**
     * A session.
     *
     * @param workers its threads; closed with it
     * @param latentForm how latent attention is computed
     * @param products how it multiplies
     * @param precision what it may do to activations
     * @param warmUp warms kernels up when they are compiled
     * @param functions what computes everything but products, if not the Vector API
     */
    CpuSession(Workers workers, LatentForm latentForm, Products products, Precision precision, Optional<WarmUp> warmUp,
            Optional<NativeFunctions> functions) {
        this.warmUp = warmUp;
        this.workers = workers;
        this.shared = Shared.of(workers, products, precision, functions);
        this.fusion = new Fusion(new SingleKernels(shared, latentForm), shared);
    }

    @Override
    public Optional<WeightLayout> layout(WeightLayout.Weight weight) {
        return shared.products().layout(weight, shared.precision());
    }

    @Override
    public synchronized MemorySegment allocate(long bytes) {
        if (bytes < 0) {
            throw new IllegalArgumentException("allocation of " + bytes + " bytes");
        }
        try {
            MemorySegment segment = (bytes < MAPPED ? cut(bytes) : linux.flatMap(calls -> calls.map(bytes, arena)))
                    .orElseGet(() -> arena.allocate(bytes, ALIGNMENT));
            allocated += bytes;
            return segment;
        } catch (OutOfMemoryError e) {
            throw new ManipleException("compute back end [cpu] needs another " + bytes + " bytes beside the " + allocated
                    + " that it has, and the machine does not give them: lower kv-cache-memory-bytes or max-num-batched-tokens, or use "
                    + "more ranks", e);
        }
    }

    private Optional<MemorySegment> cut(long bytes) {
        long held = Math.ceilDiv(bytes, ALIGNMENT) * ALIGNMENT;
        if (room.byteSize() < held) {
            room = linux.flatMap(calls -> calls.map(ROOM, arena)).orElse(MemorySegment.NULL);
        }
        if (room.byteSize() < held) {
            return Optional.empty();
        }
        MemorySegment segment = room.asSlice(0, bytes);
        room = room.asSlice(held);
        return Optional.of(segment);
    }

    @Override
    public Optional<CompiledKernel> compile(Region region, int from) {
        OpCall call = region.calls().get(from);
        warmUp.ifPresent(warm -> warmUp(warm, call, shared.precision()));
        return fusion.compile(region, from).map(fused -> new CompiledKernel(fused.kernel(), fused.covers(),
                fused.covers() == 1 ? DESCRIPTION : DESCRIPTION + ", fused"));
    }

    private static void warmUp(WarmUp warmUp, OpCall call, Precision precision) {
        switch (call.op()) {
            case BuiltinOp.Contract contract -> {
                Tensor weight = call.input(1);
                if (weight.layout().isEmpty()) {
                    warmUp.products(weight.dtype(), precision);
                }
                if (weight.dtype() == DType.F8_E4M3) {
                    warmUp.floats(weight.dtype());
                }
            }
            case BuiltinOp.Embed embed -> {
                // Blocks are decoded in scalar code, a row for each token: too little to wait for here.
                if (!call.input(1).dtype().blocked()) {
                    floats(warmUp, call.input(1));
                }
            }
            case BuiltinOp.Combine combine -> warmUp.rows();
            case BuiltinOp.AttendLatent attend -> {
                warmUp.rows();
                floats(warmUp, call.input(4));
                if (call.input(5).layout().isEmpty()) {
                    warmUp.products(call.input(5).dtype(), ActivationForm.F32);
                }
            }
            default -> {
                // Nothing that others do not need.
            }
        }
    }

    /** Packed weights are read by native functions alone, which need no warming. */
    private static void floats(WarmUp warmUp, Tensor weight) {
        if (weight.layout().isEmpty()) {
            warmUp.floats(weight.dtype());
        }
    }

    @Override
    public void close() {
        workers.close();
        arena.close();
    }
}
