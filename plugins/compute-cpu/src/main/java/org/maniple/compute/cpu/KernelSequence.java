package org.maniple.compute.cpu;

import java.util.List;
import org.maniple.api.compute.Kernel;
import org.maniple.api.step.Step;

/** Kernels that run one after the other. */
final class KernelSequence implements Kernel {

    private final Kernel[] kernels;

    KernelSequence(List<Kernel> kernels) {
        this.kernels = kernels.toArray(Kernel[]::new);
    }

    @Override
    public void run(Step step) {
        for (Kernel kernel : kernels) {
            kernel.run(step);
        }
    }
}
