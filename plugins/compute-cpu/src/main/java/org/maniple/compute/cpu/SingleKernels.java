package org.maniple.compute.cpu;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.maniple.api.compute.Kernel;
import org.maniple.api.graph.BuiltinOp;
import org.maniple.api.graph.OpCall;

/** Kernels of single operations. */
final class SingleKernels {

    private final Shared shared;
    private final Workers workers;
    private final Scratch[] scratch;
    private final LatentForm latentForm;
    private final Map<BuiltinOp.Rope, RopeTable> ropes = new HashMap<>();

    SingleKernels(Shared shared, LatentForm latentForm) {
        this.shared = shared;
        this.workers = shared.workers();
        this.scratch = shared.scratch();
        this.latentForm = latentForm;
    }

    /** A kernel for an operation; empty if there is none for its operands. */
    Optional<Kernel> compile(OpCall call) {
        return call.op() instanceof BuiltinOp op ? compile(call, op) : Optional.empty();
    }

    private Optional<Kernel> compile(OpCall call, BuiltinOp op) {
        boolean sums = op instanceof BuiltinOp.Contract || op instanceof BuiltinOp.SumSquares;
        if (!call.leaves().isEmpty() && !sums) {
            return Optional.empty();
        }
        return switch (op) {
            case BuiltinOp.AttendLatent attend -> LatentAttention.of(call, shared.products()).map(latent -> switch (latentForm) {
                case ABSORBED -> new AbsorbedAttendKernel(workers, scratch, shared.attention(), latent, attend);
                case EXPANDED -> new ExpandedAttendKernel(workers, scratch, latent, attend);
            });
            case BuiltinOp.Route route -> RouteKernel.of(workers, call, route);
            case BuiltinOp.Dispatch dispatch -> Optional.empty();
            case BuiltinOp.Combine combine -> CombineKernel.of(workers, call);
            case BuiltinOp.Embed embed -> EmbedKernel.of(shared, call);
            case BuiltinOp.Contract contract ->
                shared.matrix(call).map(List::of)
                        .map(matrix -> new ContractKernel(workers, scratch, matrix, shared.input(matrix)));
            case BuiltinOp.SumSquares squares -> NormKernel.sumSquares(shared, call);
            case BuiltinOp.Normalize normalize -> NormKernel.normalize(shared, call, normalize, Optional.empty());
            case BuiltinOp.Elementwise map -> ElementwiseKernel.of(shared, call, map);
            case BuiltinOp.Rope rope -> Optional.of(new RopeKernel(shared, call, rope, table(rope, call.output(0).extent(0))));
            case BuiltinOp.Cache cache -> CacheKernel.of(shared, call).map(Kernel.class::cast);
            case BuiltinOp.Attend attend -> AttendKernel.of(workers, shared.attention(), call, attend);
            case BuiltinOp.Select select -> RowCopies.select(call);
            case BuiltinOp.TopK top -> TopKKernel.of(shared, call, top);
        };
    }

    private RopeTable table(BuiltinOp.Rope rope, int rows) {
        RopeTable table = ropes.get(rope);
        if (table == null || table.rows() < rows) {
            table = new RopeTable(rope, rows);
            ropes.put(rope, table);
        }
        return table;
    }
}
