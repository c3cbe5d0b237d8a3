package org.maniple.kernel.plugin;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DisabledPluginsTest {

    @TempDir
    Path folder;

    @Test
    void disablingAndEnablingKeepsTheCommentsOfTheFile() throws IOException {
        Path file = folder.resolve("conf/plugins.disabled");
        var disabled = new DisabledPlugins(file);
        assertThat(disabled.ids()).isEmpty();
        assertThat(disabled.disable("transport-tcp")).isTrue();
        assertThat(disabled.disable("transport-tcp")).isFalse();
        Files.writeString(file, "# machine without network\ntransport-tcp # since May\nmodel-gemma\n");
        assertThat(disabled.ids()).containsExactly("model-gemma", "transport-tcp");
        assertThat(disabled.enable("transport-tcp")).isTrue();
        assertThat(disabled.enable("transport-tcp")).isFalse();
        assertThat(file).hasContent("# machine without network\nmodel-gemma\n");
    }
}
