package org.maniple.kernel.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.maniple.kernel.plugin.PluginSources.module;
import static org.maniple.kernel.plugin.PluginSources.provider;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.maniple.kernel.plugin.ExtensionKind;
import org.maniple.kernel.plugin.PluginDescriptor;
import org.maniple.kernel.plugin.PluginFolder;

/** A plugin's own node is bound to its record, in a layer whose package nobody else may look into. */
class PluginConfigurationTest {

    @TempDir
    Path root;

    private TestInstallation installation;

    @BeforeEach
    void installAPlugin() throws IOException {
        installation = new TestInstallation(root);
        new PluginFolder(installation.home(), "alpha").jar("alpha.jar",
                module("test.alpha", "provides org.maniple.api.Plugin with test.alpha.Described;"),
                provider("test.alpha", "alpha"),
                """
                        package test.alpha;
                        record Settings(int depth, String colour, boolean loud, java.util.List<Inner> parts) {
                            Settings { if (depth < 0) throw new IllegalArgumentException("depth: [" + depth + "] must not be negative"); }
                            record Inner(double weight) {}
                        }
                        """,
                """
                        package test.alpha;
                        public class Described implements org.maniple.api.Plugin {
                            public Class<? extends Record> configurationType() { return Settings.class; }
                        }
                        """);
    }

    private List<String> problems(String... lines) {
        return catchThrowableOfType(ConfigurationException.class, () -> installation.yaml(lines)).problems();
    }

    private Record bound(String... lines) {
        var configuration = installation.yaml(lines);
        assertThat(configuration.extensions().all(ExtensionKind.TOKENIZER)).hasSize(1);
        return configuration.pluginConfigurations().get("alpha");
    }

    @Test
    void aNodeIsBound() {
        assertThat(
                bound("plugins:", "  alpha:", "    depth: 3", "    colour: red", "    loud: true", "    parts: [{weight: 0.5}]"))
                .hasToString("Settings[depth=3, colour=red, loud=true, parts=[Inner[weight=0.5]]]");
    }

    @Test
    void aPluginThatIsNotMentionedHasAllDefaults() {
        assertThat(bound()).hasToString("Settings[depth=0, colour=null, loud=false, parts=null]");
        assertThat(bound("plugins: {alpha: true}")).hasToString("Settings[depth=0, colour=null, loud=false, parts=null]");
    }

    @Test
    void theContextOfAnExtensionHasTheRecord() {
        var configuration = installation.yaml("plugins: {alpha: {depth: 7}}");
        var extension = configuration.extensions().all(ExtensionKind.TOKENIZER).getFirst();
        var context = configuration.context(extension, line -> {});
        var type = configuration.pluginConfigurations().get("alpha").getClass();
        assertThat(context.configuration(type)).hasToString("Settings[depth=7, colour=null, loud=false, parts=null]");
        assertThat(context.settings().integer("port")).isEqualTo(8000);
    }

    @Test
    void anUnknownKeyNamesTheNearestOne() {
        assertThat(problems("plugins:", "  alpha:", "    dept: 3")).containsExactly(
                "unit.yaml:4 plugins.alpha.dept: unknown key; known: [colour, depth, loud, parts]; did you mean [depth]?");
    }

    @Test
    void aValueThatTheRecordRefusesIsExplainedInItsWords() {
        assertThat(problems("plugins:", "  alpha: {depth: -1}")).containsExactly(
                "unit.yaml:3 plugins.alpha: depth: [-1] must not be negative");
    }

    @Test
    void aValueOfAnotherTypeIsNamedWithItsPath() {
        assertThat(problems("plugins:", "  alpha:", "    parts:", "      - {weight: 1}", "      - weight: heavy"))
                .containsExactly(
                        "unit.yaml:6 plugins.alpha.parts.1.weight: [heavy] is no double");
    }

    @Test
    void emptyIsNotZero() {
        assertThat(problems("plugins:", "  alpha:", "    depth:")).containsExactly(
                "unit.yaml:4 plugins.alpha.depth: the key has no value; give one, or remove the line");
    }

    @Test
    void aPluginCanBeLeftOutByTheFile() {
        assertThat(installation.yaml("plugins: {alpha: false}").catalog().disabled()).extracting(PluginDescriptor::id)
                .containsExactly("alpha");
        assertThat(installation.yaml("plugins: []").catalog().disabled()).extracting(PluginDescriptor::id)
                .containsExactly("alpha");
        assertThat(installation.yaml("plugins: [alpha]").catalog().disabled()).isEmpty();
    }

    @Test
    void aPluginThatTheInstallationDisablesCannotBeConfigured() throws IOException {
        Files.createDirectories(installation.home().resolve("conf"));
        Files.writeString(installation.home().resolve("conf/plugins.disabled"), "alpha\n");
        assertThat(problems("plugins:", "  alpha: {depth: 1}")).containsExactly(
                "unit.yaml:3 plugins: plugin [alpha] is disabled in this installation; maniple plugins enable alpha");
    }

    @Test
    void aBrokenPluginIsAMistakeOfTheConfiguration() throws IOException {
        var broken = new PluginFolder(installation.home(), "broken").with("api", "2");
        assertThat(problems())
                .containsExactly("plugin [broken] in " + broken.path() + ": 0.3.0 was built for kernel-api 2 but this kernel"
                        + " provides 1.0; install a broken built for 1.x");
    }
}
