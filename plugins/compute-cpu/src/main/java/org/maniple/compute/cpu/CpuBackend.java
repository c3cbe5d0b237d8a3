package org.maniple.compute.cpu;

import java.util.Optional;
import org.maniple.api.Availability;
import org.maniple.api.HostInfo;
import org.maniple.api.ManipleException;
import org.maniple.api.PluginContext;
import org.maniple.api.compute.ComputeBackend;
import org.maniple.api.compute.ComputeSession;
import org.maniple.api.tensor.DType;

/** Computes on the processor's vector units through the Java Vector API. */
public final class CpuBackend implements ComputeBackend {

    private static final String VECTOR_MODULE = "jdk.incubator.vector";

    /** For the service loader. */
    public CpuBackend() {}

    @Override
    public String name() {
        return "cpu";
    }

    @Override
    public Availability availability(HostInfo host) {
        return availability(ModuleLayer.boot());
    }

    @Override
    public ComputeSession open(PluginContext context, int threads) {
        if (availability(ModuleLayer.boot()) instanceof Availability.Unavailable missing) {
            throw new ManipleException("compute back end [cpu] cannot be opened: " + missing.reason());
        }
        if (threads < 1) {
            throw new ManipleException(
                    "compute back end [cpu] was asked for " + threads + " threads; it needs at least 1 (key threads)");
        }
        var warmUp = new WarmUp();
        warmUp.common();
        warmUp.products(DType.F32);
        var session = new CpuSession(threads, context.host().processors(), Optional.of(warmUp));
        context.announce("cpu: vector api " + Lanes.BITS + " bits, " + threads + (threads == 1 ? " thread" : " threads")
                + "; weights f32, f16, bf16");
        return session;
    }

    static Availability availability(ModuleLayer boot) {
        if (boot.findModule(VECTOR_MODULE).isPresent()) {
            return Availability.available(0);
        }
        return Availability
                .unavailable("the JVM was started without the module " + VECTOR_MODULE + "; add the flag --add-modules="
                        + VECTOR_MODULE + " to conf/jvm.options");
    }
}
