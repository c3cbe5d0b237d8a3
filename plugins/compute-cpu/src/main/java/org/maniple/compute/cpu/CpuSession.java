package org.maniple.compute.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import org.maniple.api.ManipleException;
import org.maniple.api.compute.ComputeSession;
import org.maniple.api.graph.BuiltinOp;
import org.maniple.api.graph.OpCall;

/** The processor at work for one rank. */
final class CpuSession implements ComputeSession {

    private static final long ALIGNMENT = 64;
    private static final String DESCRIPTION = "vector api " + Lanes.BITS + " bits";

    private final Arena arena = Arena.ofShared();
    private final Workers workers;
    private final Fusion fusion;
    private final Optional<WarmUp> warmUp;
    private long allocated;

    /** A session whose kernels become fast as they are used. */
    CpuSession(int threads, int processors) {
        this(threads, processors, Optional.empty());
    }

    /** A session whose kernels are warmed up when they are compiled. */
    CpuSession(int threads, int processors, Optional<WarmUp> warmUp) {
        this.warmUp = warmUp;
        this.workers = new Workers(threads, processors);
        var lanes = new float[threads][Lanes.SCRATCH];
        this.fusion = new Fusion(new SingleKernels(workers, lanes), workers, lanes);
    }

    @Override
    public MemorySegment allocate(long bytes) {
        if (bytes < 0) {
            throw new IllegalArgumentException("allocation of " + bytes + " bytes");
        }
        try {
            MemorySegment segment = arena.allocate(bytes, ALIGNMENT);
            allocated += bytes;
            return segment;
        } catch (OutOfMemoryError e) {
            throw new ManipleException("compute back end [cpu] needs another " + bytes + " bytes beside the " + allocated
                    + " that it has, and the machine does not give them: lower kv-cache-memory-bytes or max-num-batched-tokens, or use "
                    + "more ranks", e);
        }
    }

    @Override
    public Optional<CompiledKernel> compile(Region region, int from) {
        OpCall call = region.calls().get(from);
        if (warmUp.isPresent() && call.op() instanceof BuiltinOp.Contract) {
            warmUp.get().products(call.input(1).dtype());
        }
        return fusion.compile(region, from).map(fused -> new CompiledKernel(fused.kernel(), fused.covers(),
                fused.covers() == 1 ? DESCRIPTION : DESCRIPTION + ", fused"));
    }

    @Override
    public void close() {
        workers.close();
        arena.close();
    }
}
