package org.maniple.system;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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

    @ParameterizedTest
    @CsvSource({"model-deepseek, model architecture [DeepseekV3ForCausalLM] is known to no plugin",
        "checkpoint-safetensors, holds weights in no known format", "tokenizer-hf, holds no tokenizer of a known format",
        "transport-tcp, transport [auto]", "compute-cpu, compute [auto]", "serve-openai, frontend [auto]"})
    void aDisabledPluginIsMissedAtLaunchByName(String id, String message) {
        assertThat(Command.maniple(distribution, "plugins", "disable", id).succeeded().text())
                .contains("plugin " + id + " is disabled now");
        Command launch = Command.maniple(distribution, "launch", "--model", distribution.demoModel().toString(), "--tp", "2");

        assertThat(launch.exitCode()).isEqualTo(2);
        assertThat(launch.text()).contains(message).contains("disabled plugins: [" + id + "]");
    }

    @Test
    void aDisabledPluginIsUsedAgainOnceEnabled() {
        Command.maniple(distribution, "plugins", "disable", "model-deepseek").succeeded();
        assertThat(dryRun().exitCode()).isEqualTo(2);
        Command.maniple(distribution, "plugins", "enable", "model-deepseek").succeeded();

        dryRun().succeeded();
    }

    private Command dryRun() {
        return Command.maniple(distribution, "launch", "--model", distribution.demoModel().toString(), "--dry-run");
    }

    private Path plugins() {
        return distribution.home().resolve("plugins");
    }
}
