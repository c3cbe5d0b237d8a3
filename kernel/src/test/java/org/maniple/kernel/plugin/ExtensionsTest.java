package org.maniple.kernel.plugin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.maniple.api.Availability;
import org.maniple.api.HostInfo;
import org.maniple.api.PluginContext;
import org.maniple.api.text.TextCodec;
import org.maniple.api.text.Tokenizer;
import org.maniple.kernel.plugin.LoadedPlugin.Provided;

class ExtensionsTest {

    private static final HostInfo HOST = new HostInfo("host-a", "linux", "amd64", 2, 1L << 30);

    private record Named(String name, Availability answer) implements Tokenizer {
        @Override
        public Availability availability(HostInfo host) {
            if (answer instanceof Availability.Unavailable(var reason) && reason.isEmpty()) {
                throw new IllegalStateException("probe");
            }
            return answer;
        }

        @Override
        public boolean accepts(Path model) {
            return false;
        }

        @Override
        public TextCodec load(Path model, PluginContext context) {
            throw new UnsupportedOperationException();
        }
    }

    private static Named works(String name, int score) {
        return new Named(name, Availability.available(score));
    }

    private static Named fails(String name, String reason) {
        return new Named(name, Availability.unavailable(reason));
    }

    private static Extensions of(Named... extensions) {
        var provided = new ArrayList<Provided<?>>();
        for (Named extension : extensions) {
            provided.add(new Provided<>(ExtensionKind.TOKENIZER, extension));
        }
        return new PluginCatalog(List.of(KernelExtensions.of(provided)), List.of(), List.of()).extensions();
    }

    private static String choose(Extensions extensions, String name) {
        return extensions.choose(ExtensionKind.TOKENIZER, name, HOST).name();
    }

    @Test
    void anUnknownNameIsAnsweredWithWhatIsThere() {
        var extensions = of(works("tcp", 0), works("local", 0), fails("rdma", "libibverbs.so.1 not found"));
        assertThatThrownBy(() -> choose(extensions, "rdmaa"))
                .hasMessage("tokenizer [rdmaa] is not installed; installed: [local, rdma, tcp]"
                        + "; available on this host: [local, tcp]; did you mean [rdma]?");
    }

    @Test
    void anUnavailableOneSaysWhy() {
        var extensions = of(works("tcp", 0), fails("rdma", "libibverbs.so.1 not found"));
        assertThatThrownBy(() -> choose(extensions, "rdma")).hasMessage(
                "tokenizer [rdma] cannot work on this host: libibverbs.so.1 not found; available on this host: [tcp]");
    }

    @Test
    void autoTakesTheHighestScoreAmongThoseThatWork() {
        assertThat(choose(of(works("tcp", 1), works("local", 0), fails("rdma", "no card")), "auto")).isEqualTo("tcp");
    }

    @Test
    void autoRefusesToChooseBetweenEquals() {
        assertThatThrownBy(() -> choose(of(works("b", 2), works("a", 2), works("c", 1)), "auto"))
                .hasMessage("tokenizer [auto]: [a, b] have the same score 2 on this host; name one of them");
    }

    @Test
    void autoWithNothingThatWorksGivesEachReason() {
        assertThatThrownBy(() -> choose(of(fails("rdma", "no card")), "auto")).hasMessage(
                "tokenizer [auto]: nothing is available on this host; installed: [rdma]; [rdma] cannot work: no card");
    }

    @Test
    void aProbeThatThrowsCountsAsUnavailable() {
        assertThatThrownBy(() -> choose(of(works("tcp", 0), fails("rdma", "")), "rdma"))
                .hasMessage("tokenizer [rdma] cannot work on this host:"
                        + " its probe failed: java.lang.IllegalStateException: probe; available on this host: [tcp]");
    }
}
