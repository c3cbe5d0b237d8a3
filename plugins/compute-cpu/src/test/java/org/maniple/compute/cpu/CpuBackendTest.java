package org.maniple.compute.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.maniple.api.Availability;
import org.maniple.api.HostInfo;
import org.maniple.api.ManipleException;
import org.maniple.api.PluginContext;
import org.maniple.api.config.Option;
import org.maniple.api.config.Settings;

class CpuBackendTest {

    private String setting = "mla-form";
    private String value = "expanded";
    private final List<String> lines = new ArrayList<>();
    private final CpuBackend backend = new CpuBackend();

    private final PluginContext context = new PluginContext() {
        @Override
        public Settings settings() {
            return new OneText(setting, value);
        }

        @Override
        public <C extends Record> C configuration(Class<C> type) {
            throw new UnsupportedOperationException();
        }

        @Override
        public HostInfo host() {
            return new HostInfo("here", "linux", "amd64", 2, 1L << 30);
        }

        @Override
        public void announce(String line) {
            lines.add(line);
        }
    };

    @Test
    void tellsKernelsWidthThreadsAndThePathOfEachTypeOfWeights() {
        backend.open(context, 2).close();
        assertThat(lines).hasSize(2);
        assertThat(lines.getFirst()).startsWith("cpu: ").contains("native kernels")
                .endsWith("; vector api " + Lanes.BITS + " bits; 2 threads");
        assertThat(lines.getLast()).startsWith("cpu: vector api f32: f32 f16").contains(" q8_0 q4_0 q4_1 ").contains("bf16");
    }

    @Test
    void computesWithoutNativeKernelsIfAsked() {
        setting = "cpu-isa";
        value = "vector-api";
        backend.open(context, 1).close();
        assertThat(lines).containsExactly(
                "cpu: no native kernels (cpu-isa vector-api); vector api " + Lanes.BITS + " bits; 1 thread",
                "cpu: vector api f32: f32 f16 bf16 f8_e4m3; vector api int8: q8_0 q4_0 q4_1 q5_0 q5_1 q2_k q3_k q4_k q5_k q6_k iq4_nl mxfp4");
    }

    @Test
    void choosesTheMostThatTheProcessorCanDoUpToWhatIsAskedFor() {
        var usable = List.of("avx2", "avx512vnni", "avx512bf16", "amx");
        assertThat(Isa.AUTO.choose(usable)).contains("amx");
        assertThat(Isa.AVX512.choose(usable)).contains("avx512vnni");
        assertThat(Isa.AVX2.choose(usable)).contains("avx2");
        assertThat(Isa.AMX.choose(List.of("avx2"))).contains("avx2");
        assertThat(Isa.AUTO.choose(List.of())).isEmpty();
    }

    @Test
    void offersInstructionSetsAndBothFormsOfLatentAttention() {
        assertThat(backend.options()).extracting(Option::key).startsWith("cpu-isa", "mla-form");
        assertThat(backend.options().getFirst().choices()).containsExactly("auto", "vector-api", "avx2", "avx512", "amx");
        assertThat(backend.options().get(1).choices()).containsExactly("absorbed", "expanded");
        assertThat(backend.options().get(1).defaultValue()).contains("absorbed");
    }

    @Test
    void isAvailableWithTheVectorModule() {
        assertThat(backend.availability(context.host())).isEqualTo(Availability.available(0));
    }

    @Test
    void namesTheFlagWithoutTheVectorModule() {
        assertThat(CpuBackend.availability(ModuleLayer.empty())).isEqualTo(Availability.unavailable(
                "the JVM was started without the module jdk.incubator.vector; add the flag --add-modules=jdk.incubator.vector to "
                        + "conf/jvm.options"));
    }

    @Test
    void refusesToComputeWithoutThreads() {
        assertThatThrownBy(() -> backend.open(context, 0)).isInstanceOf(ManipleException.class)
                .hasMessage("compute back end [cpu] was asked for 0 threads; it needs at least 1 (key threads)");
    }

    @Test
    void allocatesZeroedAlignedMemoryUntilItsEnd() {
        MemorySegment memory;
        try (var session = backend.open(context, 1)) {
            assertThat(session.allocate(0).byteSize()).isZero();
            memory = session.allocate(1000);
            assertThat(memory.address() % 64).isZero();
            assertThat(memory.mismatch(MemorySegment.ofArray(new byte[1000]))).isEqualTo(-1);
        }
        assertThat(memory.scope().isAlive()).isFalse();
    }

    @Test
    void namesBothNumbersWhenMemoryIsShort() {
        try (var session = backend.open(context, 1)) {
            session.allocate(4096);
            assertThatThrownBy(() -> session.allocate(Long.MAX_VALUE / 4)).isInstanceOf(ManipleException.class)
                    .hasMessageContaining("another " + Long.MAX_VALUE / 4 + " bytes beside the 4096 that it has");
        }
    }
}
