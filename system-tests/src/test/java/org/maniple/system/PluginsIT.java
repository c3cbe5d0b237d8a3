package org.maniple.system;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What users do with plugins, in a copy of the distribution. */
class PluginsIT {

    private Distribution distribution;

    @TempDir
    private Path folder;

    @BeforeEach
    void copyTheDistribution() {
        distribution = Distribution.find().copyTo(folder.resolve("maniple"));
    }

    @Test
    void everyPluginOfTheDistributionIsListed() throws IOException {
        List<String> folders;
        try (var list = Files.list(plugins())) {
            folders = list.map(path -> path.getFileName().toString()).toList();
        }
        String text = Command.maniple(distribution, "plugins", "list").succeeded().text();

        assertThat(folders).hasSizeGreaterThanOrEqualTo(11).allMatch(text::contains);
    }

    @Test
    void infoShowsExtensionsAndConfigurationKeys() {
        assertThat(Command.maniple(distribution, "plugins", "info", "parallel-tp").succeeded().text())
                .contains("parallel-tp").contains("tensor").contains("tensor-parallel-size");
    }

    @Test
    void verifyLoadsAllPlugins() {
        assertThat(Command.maniple(distribution, "plugins", "verify").succeeded().text()).contains("plugins are in order");
    }

    @Test
    void aBrokenPluginIsNamedAndHidesNoOther() throws IOException {
        Files.createDirectories(plugins().resolve("broken"));
        Files.writeString(plugins().resolve("broken/plugin.properties"), "id=something-else\n");

        assertThat(Command.maniple(distribution, "plugins", "list").succeeded().text()).contains("broken").contains("model-llama")
                .contains("transport-tcp");
        Command verify = Command.maniple(distribution, "plugins", "verify");
        assertThat(verify.exitCode()).isEqualTo(2);
        assertThat(verify.text()).contains(plugins().resolve("broken").toString());
    }

    @Test
    void anUnknownPluginIsAnErrorWithTheNearestName() {
        Command disable = Command.maniple(distribution, "plugins", "disable", "model-lama");

        assertThat(disable.exitCode()).isEqualTo(2);
        assertThat(disable.text()).contains("plugin [model-lama] is not installed").contains("model-llama");
    }

    @Test
    void aDisabledPluginIsMissedAtLaunchByNameAndUsedAgainOnceEnabled() {
        assertThat(Command.maniple(distribution, "plugins", "disable", "model-llama").succeeded().text())
                .contains("plugin model-llama is disabled now");
        Command without = launch();
        assertThat(without.exitCode()).isEqualTo(2);
        assertThat(without.text()).contains("LlamaForCausalLM").contains("model-llama").contains("plugins enable model-llama");

        Command.maniple(distribution, "plugins", "enable", "model-llama").succeeded();
        launch().succeeded();
    }

    private Command launch() {
        return Command.maniple(distribution, "launch", "--model", distribution.demoModel().toString(), "--dry-run");
    }

    private Path plugins() {
        return distribution.home().resolve("plugins");
    }
}
