package org.maniple.kernel.execute;

import java.lang.foreign.MemorySegment;
import org.maniple.api.compute.Kernel;
import org.maniple.api.graph.BuiltinOp;
import org.maniple.api.graph.CustomOp;
import org.maniple.api.graph.OpCall;
import org.maniple.api.step.Step;
import org.maniple.api.tensor.Tensor;

/** The reference implementation of an operation: what runs if the back end does not compute it, and what back ends are compared with. */
public final class ReferenceKernel implements Kernel {

    private final OpCall call;

    /**
     * Binds an operation to its scalar implementation.
     *
     * @param call the operation with its operands
     */
    public ReferenceKernel(OpCall call) {
        this.call = call;
    }

    @Override
    public void run(Step step) {
        switch (call.op()) {
            case CustomOp custom -> custom.compute(call, step);
            case BuiltinOp.Embed embed -> ReferenceMath.embed(call);
            case BuiltinOp.Contract contract -> ReferenceMath.contract(call);
            case BuiltinOp.SumSquares squares -> ReferenceMath.sumSquares(call);
            case BuiltinOp.Normalize normalize -> ReferenceMath.normalize(call, normalize);
            case BuiltinOp.Elementwise map -> ReferenceMath.elementwise(call, map.function());
            case BuiltinOp.Rope rope -> ReferenceAttention.rope(call, rope, step);
            case BuiltinOp.Cache cache -> ReferenceAttention.cache(call, step);
            case BuiltinOp.Attend attend -> ReferenceAttention.attend(call, attend, step);
            case BuiltinOp.Select select -> select(step);
            case BuiltinOp.AttendLatent attend -> ReferenceAttention.attendLatent(call, attend, step);
            case BuiltinOp.Route route -> ReferenceExperts.route(call, route);
            case BuiltinOp.Dispatch dispatch -> throw new IllegalStateException("the kernel dispatches: " + call.node());
            case BuiltinOp.Combine combine -> ReferenceExperts.combine(call);
            case BuiltinOp.TopK top -> Candidates.select(call, top.k());
        }
    }

    private void select(Step step) {
        Tensor x = call.input(0);
        Tensor out = call.output(0);
        long bytes = 4L * x.width();
        for (int i = 0; i < out.rows(); i++) {
            MemorySegment.copy(x.segment(), step.selectedRow(i) * bytes, out.segment(), i * bytes, bytes);
        }
    }
}
