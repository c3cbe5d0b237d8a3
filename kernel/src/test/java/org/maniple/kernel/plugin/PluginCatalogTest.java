package org.maniple.kernel.plugin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.maniple.kernel.plugin.PluginSources.provider;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.maniple.api.Extension;
import org.maniple.api.HostInfo;
import org.maniple.api.ManipleException;

class PluginCatalogTest {

    private static final HostInfo HOST = new HostInfo("host-a", "linux", "amd64", 2, 1L << 30);

    @TempDir
    Path root;

    private PluginFolder plugin(String id) throws IOException {
        return new PluginFolder(root, id);
    }

    private PluginFolder good(String id, String... members) throws IOException {
        String module = "test." + id;
        return plugin(id).jar(id + ".jar", PluginSources.module(module), provider(module, id + "-tokenizer", members));
    }

    private PluginCatalog scan() {
        return scan(PluginSelection.ALL);
    }

    private PluginCatalog scan(PluginSelection selection) {
        return PluginCatalog.scan(root.resolve("plugins"), KernelExtensions.of(List.of()), selection);
    }

    private static List<String> ids(PluginCatalog catalog) {
        return catalog.plugins().stream().map(LoadedPlugin::id).toList();
    }

    @Test
    void aPluginIsLoadedInALayerOfItsOwn() throws IOException {
        good("alpha");
        good("beta");
        var catalog = scan();
        assertThat(catalog.failures()).isEmpty();
        assertThat(ids(catalog)).containsExactly("kernel", "alpha", "beta");
        assertThat(catalog.plugin("alpha").orElseThrow().layer()).isNotEqualTo(catalog.plugin("beta").orElseThrow().layer());
        var chosen = catalog.extensions().choose(ExtensionKind.TOKENIZER, "beta-tokenizer", HOST);
        assertThat(catalog.extensions().pluginOf(chosen).id()).isEqualTo("beta");
    }

    @Test
    void twoPluginsUseTwoVersionsOfOneLibrary() throws IOException {
        for (String version : List.of("2.17.0", "2.22.4")) {
            String id = version.equals("2.17.0") ? "older" : "newer";
            plugin(id).jar("library-" + version + ".jar", "module test.library { exports test.library; }",
                    "package test.library; public class Version { public static String text() { return \"v"
                            + version.replace('.', '-') + "\"; } }")
                    .jar(id + ".jar", PluginSources.module("test." + id, "requires test.library;"),
                            provider("test." + id, "placeholder").replace("\"placeholder\"", "test.library.Version.text()"));
        }
        var catalog = scan();
        assertThat(catalog.failures()).isEmpty();
        assertThat(catalog.extensions().all(ExtensionKind.TOKENIZER)).extracting(Extension::name).containsExactly("v2-22-4",
                "v2-17-0");
    }

    @Test
    void aPluginsOwnLibraryWinsOverTheKernels() throws IOException {
        plugin("own").jar("picocli.jar", "module info.picocli { exports picocli; }",
                "package picocli; public class CommandLine { public static final String NAME = \"the-plugins-own\"; }")
                .jar("own.jar", PluginSources.module("test.own", "requires info.picocli;"),
                        provider("test.own", "placeholder").replace("\"placeholder\"", "picocli.CommandLine.NAME"));
        var catalog = scan();
        assertThat(catalog.failures()).isEmpty();
        assertThat(catalog.extensions().all(ExtensionKind.TOKENIZER)).extracting(Extension::name)
                .containsExactly("the-plugins-own");
    }

    @Test
    void aPluginSeesTheExportedPackagesOfOneThatItRequiresButItsProvidersStayTheOthers() throws IOException {
        var base = plugin("zbase").jar("zbase.jar", PluginSources.module("test.zbase", "exports test.zbase.shared;"),
                provider("test.zbase", "base"),
                "package test.zbase.shared; public class Shared { public static String text() { return \"shared\"; } }");
        plugin("auser").with("requires", "zbase").seeing(base.path()).jar("auser.jar",
                PluginSources.module("test.auser", "requires test.zbase;"),
                provider("test.auser", "placeholder").replace("\"placeholder\"", "test.zbase.shared.Shared.text()"));
        var catalog = scan();
        assertThat(catalog.failures()).isEmpty();
        assertThat(ids(catalog)).containsExactly("kernel", "zbase", "auser");
        assertThat(catalog.plugin("auser").orElseThrow().extensions()).hasSize(1);
        assertThat(catalog.extensions().all(ExtensionKind.TOKENIZER)).extracting(Extension::name).containsExactly("base",
                "shared");
    }

    @Test
    void theContextClassLoaderIsThePluginsWhileAProviderIsCreated() throws IOException {
        good("alpha",
                "public Provider() { if (Thread.currentThread().getContextClassLoader() != Provider.class.getClassLoader()) "
                        + "throw new IllegalStateException(); }");
        ClassLoader before = Thread.currentThread().getContextClassLoader();
        assertThat(scan().failures()).isEmpty();
        assertThat(Thread.currentThread().getContextClassLoader()).isSameAs(before);
    }

    @Test
    void nativeAccessIsGrantedToTheModulesOfTheDescriptorOnly() throws IOException {
        good("alpha").with("native-access", "test.alpha");
        good("beta");
        var catalog = scan();
        assertThat(catalog.failures()).isEmpty();
        assertThat(module(catalog, "alpha").isNativeAccessEnabled()).isTrue();
        assertThat(module(catalog, "beta").isNativeAccessEnabled()).isFalse();
    }

    private static Module module(PluginCatalog catalog, String id) {
        return catalog.plugin(id).orElseThrow().layer().orElseThrow().findModule("test." + id).orElseThrow();
    }

    @Test
    void aDisabledPluginIsListedButNoneOfItsCodeIsLoaded() throws IOException {
        good("alpha", "static { if (true) throw new IllegalStateException(\"loaded\"); }");
        good("beta");
        var catalog = scan(new PluginSelection(Set.of("alpha"), Optional.empty()));
        assertThat(catalog.failures()).isEmpty();
        assertThat(ids(catalog)).containsExactly("kernel", "beta");
        assertThat(catalog.disabled()).extracting(PluginDescriptor::id).containsExactly("alpha");
        assertThatThrownBy(() -> catalog.extensions().choose(ExtensionKind.TOKENIZER, "alpha-tokenizer", HOST)).hasMessage(
                "tokenizer [alpha-tokenizer] is not installed; installed: [beta-tokenizer]; available on this host: [beta-tokenizer]"
                        + "; disabled plugins: [alpha]; did you mean [beta-tokenizer]?");
    }

    @Test
    void aSelectionOfSomePluginsDisablesTheOthers() throws IOException {
        good("alpha");
        good("beta");
        assertThat(ids(scan(PluginSelection.ALL.restrictedTo(Set.of("beta"))))).containsExactly("kernel", "beta");
    }

    @Test
    void aBrokenPluginDoesNotHideTheOthers() throws IOException {
        good("alpha");
        plugin("broken").with("colour", "red");
        var catalog = scan();
        assertThat(ids(catalog)).containsExactly("kernel", "alpha");
        assertThat(catalog.failures()).extracting(PluginException::pluginId).containsExactly("broken");
    }

    @Test
    void theRecordOfAPluginsConfigurationIsFound() throws IOException {
        plugin("alpha").jar("alpha.jar",
                PluginSources.module("test.alpha", "provides org.maniple.api.Plugin with test.alpha.Described;"),
                provider("test.alpha", "alpha"), "package test.alpha; record Configuration(int depth) {}",
                "package test.alpha; public class Described implements org.maniple.api.Plugin {"
                        + " public Class<? extends Record> configurationType() { return Configuration.class; } }");
        var catalog = scan();
        assertThat(catalog.failures()).isEmpty();
        assertThat(catalog.plugin("alpha").orElseThrow().configurationType()).map(Class::getSimpleName).contains("Configuration");
    }

    @Test
    void aFolderThatIsNotThereIsNamed() {
        assertThatThrownBy(() -> PluginCatalog.scan(root.resolve("nowhere"), KernelExtensions.of(List.of()), PluginSelection.ALL))
                .isInstanceOf(ManipleException.class)
                .hasMessage("the plugins folder [" + root.resolve("nowhere")
                        + "] cannot be read (NoSuchFileException); an installation"
                        + " has it beside bin/, or name another with -Dmaniple.plugins=FOLDER");
    }

    @Test
    void hiddenFilesAndReadmesAreNoPlugins() throws IOException {
        good("alpha");
        Files.writeString(root.resolve("plugins/README.md"), "hello");
        Files.createDirectories(root.resolve("plugins/.git"));
        assertThat(scan().failures()).isEmpty();
    }
}
