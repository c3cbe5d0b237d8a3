package org.maniple.compute.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.maniple.api.ManipleException;
import org.maniple.api.compute.ComputeSession;
import org.maniple.api.compute.Kernel;
import org.maniple.api.graph.BuiltinOp;
import org.maniple.api.graph.OpCall;

/** The processor at work for one rank. */
final class CpuSession implements ComputeSession {

    private static final long ALIGNMENT = 64;
    private static final String DESCRIPTION = "vector api " + Lanes.BITS + " bits";

    private final Arena arena = Arena.ofShared();
    private final Workers workers;
    private final float[][] lanes;
    private final Map<BuiltinOp.Rope, RopeTable> ropes = new HashMap<>();
    private long allocated;

    CpuSession(int threads, int processors) {
        this.workers = new Workers(threads, processors);
        this.lanes = new float[threads][Lanes.SCRATCH];
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
        return single(region.calls().get(from)).map(kernel -> new CompiledKernel(kernel, 1, DESCRIPTION));
    }

    private Optional<Kernel> single(OpCall call) {
        if (!(call.op() instanceof BuiltinOp op)) {
            return Optional.empty();
        }
        return switch (op) {
            case BuiltinOp.Embed embed -> EmbedKernel.of(call);
            case BuiltinOp.Contract contract -> Matrix.of(call).map(m -> new ContractKernel(workers, lanes, java.util.List.of(m)));
            case BuiltinOp.SumSquares squares -> NormKernel.sumSquares(workers, lanes, call);
            case BuiltinOp.Normalize normalize -> NormKernel.normalize(workers, lanes, call, normalize, false);
            case BuiltinOp.Elementwise map -> ElementwiseKernel.of(workers, call, map);
            case BuiltinOp.Rope rope -> Optional.of(new RopeKernel(call, rope, table(rope, call.output(0).extent(0))));
            case BuiltinOp.Cache cache -> RowCopies.cache(call);
            case BuiltinOp.Attend attend -> AttendKernel.of(workers, lanes, call, attend);
            case BuiltinOp.Select select -> RowCopies.select(call);
            case BuiltinOp.TopK top -> TopKKernel.of(workers, lanes, call, top);
        };
    }

    private RopeTable table(BuiltinOp.Rope rope, int rows) {
        return ropes.merge(rope, new RopeTable(rope, rows), (old, made) -> old.rows() >= made.rows() ? old : made);
    }

    @Override
    public void close() {
        workers.close();
        arena.close();
    }
}
