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
import org.maniple.api.config.Settings;

class CpuBackendTest {

    private final List<String> lines = new ArrayList<>();
    private final CpuBackend backend = new CpuBackend();

    private final PluginContext context = new PluginContext() {
        @Override
        public Settings settings() {
            return new OneText("mla-form", "expanded");
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
    void tellsWidthThreadsAndTypes() {
        backend.open(context, 2).close();
        assertThat(lines).containsExactly("cpu: vector api " + Lanes.BITS + " bits, 2 threads; weights f32, f16, bf16, fp8");
    }

    @Test
    void offersBothFormsOfLatentAttention() {
        assertThat(backend.options()).singleElement().satisfies(option -> {
            assertThat(option.key()).isEqualTo("mla-form");
            assertThat(option.choices()).containsExactly("absorbed", "expanded");
            assertThat(option.defaultValue()).contains("absorbed");
        });
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
