package org.maniple.compute.cpu;

import java.util.List;
import java.util.Optional;
import org.maniple.api.Availability;
import org.maniple.api.HostInfo;
import org.maniple.api.ManipleException;
import org.maniple.api.PluginContext;
import org.maniple.api.compute.ComputeBackend;
import org.maniple.api.compute.ComputeSession;
import org.maniple.api.config.Option;
import org.maniple.api.config.OptionType;
import org.maniple.api.tensor.DType;

/** Computes on the processor's vector units through the Java Vector API. */
public final class CpuBackend implements ComputeBackend {

    private static final String VECTOR_MODULE = "jdk.incubator.vector";
    private static final String MLA_FORM = "mla-form";

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
    public List<Option> options() {
        return List.of(Option.of(MLA_FORM, OptionType.TEXT,
                "How latent attention (MLA) is computed: absorbed applies the maps to queries and results; expanded, for comparison, to "
                        + "every cached latent.")
                .withDefault(LatentForm.ABSORBED.word()).withChoices(LatentForm.ABSORBED.word(), LatentForm.EXPANDED.word()));
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
        var products = new VectorProducts();
        var warmUp = new WarmUp(products);
        warmUp.common();
        warmUp.products(DType.F32, ActivationForm.F32);
        var session = new CpuSession(threads, context.host().processors(),
                context.settings().optionalText(MLA_FORM).map(LatentForm::of).orElse(LatentForm.ABSORBED),
                products, Precision.of(context.settings()), Optional.of(warmUp),
                NativeFunctions.best(NativeLibrary.load(), context::announce));
        context.announce("cpu: vector api " + Lanes.BITS + " bits, " + threads + (threads == 1 ? " thread" : " threads")
                + "; weights f32, f16, bf16, fp8");
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
