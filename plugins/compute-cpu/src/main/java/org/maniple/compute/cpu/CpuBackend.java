package org.maniple.compute.cpu;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.maniple.api.Availability;
import org.maniple.api.HostInfo;
import org.maniple.api.ManipleException;
import org.maniple.api.PluginContext;
import org.maniple.api.compute.ComputeBackend;
import org.maniple.api.compute.ComputeSession;
import org.maniple.api.config.Option;
import org.maniple.api.config.OptionType;
import org.maniple.api.config.Settings;
import org.maniple.api.tensor.DType;

/** Computes on the processor's vector units: in C where the jar has kernels that this processor runs and that pass a self-check, else through the Java Vector API. */
public final class CpuBackend implements ComputeBackend {

    private static final String VECTOR_MODULE = "jdk.incubator.vector";
    private static final String PINNING = "cpu-pinning";
    private static final String NUMA_BINDING = "cpu-numa-binding";
    /** The kernel's own: which rank of its node this process is. */
    private static final String LOCAL_RANK = "local-rank";
    /** The kernel's own: where results are kept for the next start. */
    private static final String CACHE_DIR = "cache-dir";
    private static final String NOWHERE = "none";
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
        return List.of(Option.of(Isa.KEY, OptionType.TEXT,
                "The instructions that native kernels may use; auto: all that the processor has; vector-api: no native kernels. For comparison and "
                        + "error reports: results do not depend on it, except for BF16 weights, and for a KV cache of bf16 or int8 with AMX.")
                .withDefault(Isa.AUTO.word()).withChoices(Isa.words()),
                Option.of(MLA_FORM, OptionType.TEXT,
                        "How latent attention (MLA) is computed: absorbed applies the maps to queries and results; expanded, for comparison, to "
                                + "every cached latent.")
                        .withDefault(LatentForm.ABSORBED.word())
                        .withChoices(LatentForm.ABSORBED.word(), LatentForm.EXPANDED.word()),
                Option.of(PINNING, OptionType.BOOLEAN,
                        "Each computing thread stays on a processor of its own; the ranks of a node take theirs one after the other.")
                        .withDefault("false"),
                Option.of(NUMA_BINDING, OptionType.BOOLEAN,
                        "As cpu-pinning, and memory that a rank touches first comes from the NUMA node of its first processor alone.")
                        .withDefault("false"));
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
        Isa isa = context.settings().optionalText(Isa.KEY).map(Isa::of).orElse(Isa.AUTO);
        CheckMemory memory = memory(context.settings());
        Choice choice = choose(isa, memory, context::announce);
        var warmUp = new WarmUp(choice.products());
        Optional<NativeFunctions> functions = NativeFunctions.best(NativeLibrary.load(), isa, memory,
                context::announce);
        if (functions.isEmpty()) {
            warmUp.common();
            warmUp.products(DType.F32, ActivationForm.F32);
        }
        Precision precision = Precision.of(context.settings());
        var session = new CpuSession(workers(context, threads),
                context.settings().optionalText(MLA_FORM).map(LatentForm::of).orElse(LatentForm.ABSORBED),
                choice.products(), precision, Optional.of(warmUp), functions);
        context.announce("cpu: " + choice.description() + "; vector api " + VectorWidth.BITS + " bits; " + threads
                + (threads == 1 ? " thread" : " threads"));
        context.announce("cpu: " + paths(choice.products(), precision));
        return session;
    }

    /** Which checks this processor has passed with this build, where the kernel keeps such things. */
    private static CheckMemory memory(Settings settings) {
        if (!settings.declared(CACHE_DIR) || !settings.has(CACHE_DIR) || settings.text(CACHE_DIR).equals(NOWHERE)
                || !(NativeLibrary.load() instanceof NativeLibrary.Loaded(NativeLibrary library))) {
            return CheckMemory.none();
        }
        return Processor.description()
                .map(processor -> CheckMemory.in(Path.of(settings.text(CACHE_DIR)),
                        "kernels " + library.build() + "; java " + Runtime.version() + "; " + processor))
                .orElseGet(CheckMemory::none);
    }

    private static Workers workers(PluginContext context, int threads) {
        Settings settings = context.settings();
        boolean numa = given(settings, NUMA_BINDING);
        if (!numa && !given(settings, PINNING)) {
            return new Workers(threads, context.host().processors());
        }
        int localRank = settings.declared(LOCAL_RANK) && settings.has(LOCAL_RANK) ? settings.integer(LOCAL_RANK) : 0;
        Pinning pinning = Pinning.of(context.host().architecture(), localRank, threads, numa, context::announce);
        context.announce("cpu: threads of rank " + localRank + " of the node stay on processors " + pinning.processors());
        return new Workers(threads, context.host().processors(), pinning);
    }

    private static boolean given(Settings settings, String key) {
        return settings.declared(key) && settings.has(key) && settings.flag(key);
    }

    /** How products are computed, and a word about it. */
    private record Choice(Products products, String description) {}

    private static Choice choose(Isa isa, CheckMemory memory, Consumer<String> announce) {
        var vectors = new VectorProducts();
        if (isa == Isa.VECTOR_API) {
            return new Choice(vectors, "no native kernels (" + Isa.KEY + " " + isa.word() + ")");
        }
        return switch (NativeLibrary.load()) {
            case NativeLibrary.Missing(String reason) -> new Choice(vectors, "no native kernels: " + reason);
            case NativeLibrary.Loaded(NativeLibrary library) -> isa.choose(library.variants())
                    .map(variant -> new Choice(new NativeProducts(new NativeKernels(library, variant),
                            NativeBf16.beside(variant, library), vectors, memory, announce),
                            "native kernels " + variant + " (of " + String.join(", ", library.variants()) + ")"))
                    .orElseGet(() -> new Choice(vectors,
                            "no native kernels: " + Isa.KEY + " " + isa.word() + ", and this processor can run "
                                    + library.variants()));
        };
    }

    /** Which path each type of weights takes, those of the same one together. */
    private static String paths(Products products, Precision precision) {
        var typesOfPath = new LinkedHashMap<String, List<String>>();
        for (DType type : DType.values()) {
            boolean weight = type.blocked()
                    || type == DType.F32 || type == DType.F16 || type == DType.BF16 || type == DType.F8_E4M3;
            if (weight) {
                typesOfPath.computeIfAbsent(products.describe(type, products.form(type, precision)), any -> new ArrayList<>())
                        .add(type.name().toLowerCase(Locale.ROOT));
            }
        }
        return typesOfPath.entrySet().stream().map(path -> path.getKey() + ": " + String.join(" ", path.getValue()))
                .collect(Collectors.joining("; "));
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
