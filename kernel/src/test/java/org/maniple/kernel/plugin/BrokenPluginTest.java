package org.maniple.kernel.plugin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.maniple.kernel.plugin.PluginSources.module;
import static org.maniple.kernel.plugin.PluginSources.provider;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.maniple.api.ApiVersion;

/** Each way in which a plugin can be broken is named with its reason and a remedy. */
class BrokenPluginTest {

    private static final String REPORT = "report this to the plugin's author";

    @TempDir
    Path root;

    private PluginFolder plugin(String id) throws IOException {
        return new PluginFolder(root, id);
    }

    private PluginFolder good(String id) throws IOException {
        return plugin(id).jar(id + ".jar", module("test." + id), provider("test." + id, id));
    }

    private List<PluginException> failures() {
        return PluginCatalog.scan(root.resolve("plugins"), KernelExtensions.of(List.of()), PluginSelection.ALL,
                new ApiVersion(1, 4), 25).failures();
    }

    private void assertBroken(String reason, String remedy) {
        var failures = failures();
        assertThat(failures).hasSize(1);
        var failure = failures.getFirst();
        assertThat(failure.pluginId()).isEqualTo("broken");
        assertThat(failure.reason()).isEqualTo(reason);
        assertThat(failure.remedy()).isEqualTo(remedy);
        assertThat(failure).hasMessage("plugin [broken] in " + root.resolve("plugins/broken") + ": " + reason + "; " + remedy);
    }

    private String at(String file) {
        return root.resolve("plugins/broken").resolve(file).toString();
    }

    @Test
    void aFolderWithoutDescriptor() throws IOException {
        Files.delete(plugin("broken").path().resolve("plugin.properties"));
        assertBroken("it has no plugin.properties", "unpack a plugin's zip here, or remove the folder");
    }

    @Test
    void anUnknownDescriptorKey() throws IOException {
        plugin("broken").with("modul", "x");
        assertBroken("plugin.properties: unknown key [modul]; known: [id, version, api, java, module, requires, native-access, "
                + "description]; did you mean [module]?", "correct the descriptor, or install the plugin again");
    }

    @Test
    void aMissingDescriptorKey() throws IOException {
        plugin("broken").with("version", "");
        assertBroken("plugin.properties: key [version] is missing", "correct the descriptor, or install the plugin again");
    }

    @Test
    void aDescriptorKeyThatOccursTwice() throws IOException {
        var file = plugin("broken").path().resolve("plugin.properties");
        Files.writeString(file, Files.readString(file) + "java=24\n");
        assertBroken("plugin.properties: key [java] occurs twice", "correct the descriptor, or install the plugin again");
    }

    @Test
    void anIdThatDiffersFromTheFolder() throws IOException {
        plugin("broken").with("id", "other");
        assertBroken("plugin.properties: id [other] differs from the folder's name [broken]",
                "correct the descriptor, or install the plugin again");
    }

    @Test
    void anApiRangeThatIsNone() throws IOException {
        plugin("broken").with("api", "[1.0;2)");
        assertBroken("plugin.properties: API range [[1.0;2)] is not of the form [1.0,2) or 1.0",
                "correct the descriptor, or install the plugin again");
    }

    @Test
    void aDescriptorOfManyMegabytes() throws IOException {
        Files.writeString(plugin("broken").path().resolve("plugin.properties"), "#".repeat(70_000));
        assertBroken("plugin.properties: it has 70000 bytes; at most 65536 are read",
                "correct the descriptor, or install the plugin again");
    }

    @Test
    void anotherMajorVersionOfTheApi() throws IOException {
        plugin("broken").with("api", "2.1");
        assertBroken("0.3.0 was built for kernel-api 2.1 but this kernel provides 1.4", "install a broken built for 1.x");
    }

    @Test
    void aLaterMinorVersionOfTheApi() throws IOException {
        plugin("broken").with("api", "1.5");
        assertBroken("0.3.0 was built for kernel-api 1.5 but this kernel provides 1.4", "install a broken built for 1.x");
    }

    @Test
    void aLaterJava() throws IOException {
        plugin("broken").with("java", "27");
        assertBroken("0.3.0 needs Java 27 but this is Java 25", "run Maniple on Java 27, or install a broken built for Java 25");
    }

    @Test
    void aCopyOfTheApi() throws IOException {
        plugin("broken").jar("broken.jar", module("test.broken"), provider("test.broken", "broken")).jar("maniple-kernel-api.jar",
                "module org.maniple.api { exports org.maniple.api; }",
                "package org.maniple.api; public interface Extension { String name(); }");
        assertBroken("it brings a copy of what the kernel provides: module [org.maniple.api] in maniple-kernel-api.jar",
                "remove that jar: in the plugin's POM the dependency must have scope [provided]");
    }

    @Test
    void aCopyOfTheApiUnderAnotherModuleName() throws IOException {
        plugin("broken").jar("shaded.jar", "module test.shaded { }",
                "package org.maniple.api; public interface Extension { String name(); }");
        assertBroken("it brings a copy of what the kernel provides: module [test.shaded] in shaded.jar",
                "remove that jar: in the plugin's POM the dependency must have scope [provided]");
    }

    @Test
    void aCopyOfJSpecify() throws IOException {
        plugin("broken").jar("jspecify.jar", "module org.jspecify { exports org.jspecify.annotations; }",
                "package org.jspecify.annotations; public class NullMarked {}");
        assertBroken("it brings a copy of what the kernel provides: module [org.jspecify] in jspecify.jar",
                "remove that jar: in the plugin's POM the dependency must have scope [provided]");
    }

    @Test
    void twoVersionsOfOneModule() throws IOException {
        plugin("broken").jar("a.jar", "module test.library { exports test.library; }", "package test.library; public class A {}")
                .jar("b.jar", "module test.library { exports test.library; }", "package test.library; public class B {}");
        var failure = failures().getFirst();
        assertThat(failure.reason()).matches("Two versions of module test\\.library found in .* \\([ab]\\.jar and [ab]\\.jar\\)");
        assertThat(failure.remedy()).isEqualTo("leave one modular jar of each library in the folder");
    }

    @Test
    void aPackageInTwoModules() throws IOException {
        plugin("broken")
                .jar("broken.jar", module("test.broken"), provider("test.broken", "broken"), "package test.split; class A {}")
                .jar("other.jar", "module test.other { exports test.split; }", "package test.split; public class B {}");
        assertBroken("package [test.split] is both in broken.jar and in other.jar", "leave one of the two jars in the folder");
    }

    @Test
    void aMissingDependency() throws IOException {
        var folder = plugin("broken").jar("library.jar", "module test.library { exports test.library; }",
                "package test.library; public class A {}");
        folder.jar("broken.jar", module("test.broken", "requires test.library;"), provider("test.broken", "broken"));
        Files.delete(folder.path().resolve("library.jar"));
        assertBroken("Module test.library not found, required by test.broken",
                "add the jar of the missing module to the folder; a module of the JDK must be in the kernel's boot layer, and a module"
                        + " of another plugin needs that plugin's id in [requires]");
    }

    @Test
    void aJarWithoutAModuleName() throws IOException {
        var folder = plugin("broken").jar("plain.jar", "package test.plain; public class A {}");
        Files.move(folder.path().resolve("plain.jar"), folder.path().resolve("1-2-3.jar"));
        var failure = failures().getFirst();
        assertThat(failure.reason()).startsWith("Unable to derive module descriptor for " + at("1-2-3.jar"));
        assertThat(failure.remedy()).isEqualTo("leave one modular jar of each library in the folder");
    }

    @Test
    void aJarThatIsNoJar() throws IOException {
        Files.writeString(plugin("broken").path().resolve("library.jar"), "not a zip");
        assertThat(failures().getFirst().reason()).contains("library.jar");
    }

    @Test
    void aFolderWithoutTheModuleOfTheDescriptor() throws IOException {
        plugin("broken").jar("library.jar", "module test.library { exports test.library; }",
                "package test.library; public class A {}");
        assertBroken("the descriptor names module [test.broken] but the folder has [test.library]",
                "correct [module] in plugin.properties, or add the jar");
    }

    @Test
    void nativeAccessForAModuleThatIsNotThere() throws IOException {
        good("broken").with("native-access", "test.broken,test.missing");
        assertBroken("native-access names module [test.missing] but the folder has [test.broken]",
                "correct [native-access] in plugin.properties");
    }

    @Test
    void aModuleThatProvidesNothing() throws IOException {
        plugin("broken").jar("broken.jar", "module test.broken { requires org.maniple.api; }", provider("test.broken", "broken"));
        assertBroken("its modules provide no extension and export nothing", "module [test.broken] needs a line such as"
                + " [provides org.maniple.api.transport.Transport with …] in its module-info.java");
    }

    @Test
    void aConstructorThatThrows() throws IOException {
        plugin("broken").jar("broken.jar", module("test.broken"),
                provider("test.broken", "broken", "public Provider() { throw new IllegalStateException(\"no licence\"); }"));
        assertBroken("org.maniple.api.text.Tokenizer: Provider test.broken.Provider could not be instantiated"
                + ": java.lang.IllegalStateException: no licence", REPORT);
    }

    @Test
    void aStaticInitialiserThatThrows() throws IOException {
        plugin("broken").jar("broken.jar", module("test.broken"),
                provider("test.broken", "broken", "static { if (true) throw new IllegalStateException(\"no library\"); }"));
        var failure = failures().getFirst();
        assertThat(failure.reason()).contains("no library");
        assertThat(failure.remedy()).isEqualTo(REPORT);
    }

    @Test
    void aProviderWithAForbiddenName() throws IOException {
        plugin("broken").jar("broken.jar", module("test.broken"), provider("test.broken", "auto"));
        assertBroken("tokenizer provider [test.broken.Provider] has the name [auto]",
                "a name must be lower-case kebab, and not [auto]: " + REPORT);
    }

    @Test
    void aProviderWhoseOptionsThrow() throws IOException {
        plugin("broken").jar("broken.jar", module("test.broken"), provider("test.broken", "broken",
                "@Override public java.util.List<org.maniple.api.config.Option> options() { throw new IllegalStateException(\"oh\"); }"));
        assertBroken("tokenizer provider [test.broken.Provider] fails when asked for its name and options: "
                + "java.lang.IllegalStateException: oh", REPORT);
    }

    @Test
    void aConfigurationRecordOfAnotherModule() throws IOException {
        plugin("broken").jar("broken.jar", module("test.broken", "provides org.maniple.api.Plugin with test.broken.Described;"),
                provider("test.broken", "broken"),
                "package test.broken; public class Described implements org.maniple.api.Plugin {"
                        + " public Class<? extends Record> configurationType() { return org.maniple.api.ApiVersion.class; } }");
        assertBroken("it must provide org.maniple.api.Plugin once, with a record of its own module", REPORT);
    }

    @Test
    void aNameThatAnotherPluginHas() throws IOException {
        plugin("aaa").jar("aaa.jar", module("test.aaa"), provider("test.aaa", "hf"));
        plugin("broken").jar("broken.jar", module("test.broken"), provider("test.broken", "hf"));
        assertBroken("tokenizer [hf] is provided both by plugin [aaa] and by plugin [broken]",
                "keep one of them: maniple plugins disable broken");
    }

    @Test
    void aRequiredPluginThatIsNotInstalled() throws IOException {
        good("base");
        good("broken").with("requires", "bass");
        assertBroken("it requires plugin [bass], which is not installed; installed: [base, broken]; did you mean [base]?",
                "install bass beside it");
    }

    @Test
    void aRequiredPluginThatIsBrokenItself() throws IOException {
        plugin("base").with("api", "2");
        good("broken").with("requires", "base");
        assertThat(failures()).extracting(PluginException::reason).containsExactly(
                "0.3.0 was built for kernel-api 2 but this kernel provides 1.4",
                "it requires plugin [base], which could not be loaded");
    }

    @Test
    void pluginsThatRequireEachOther() throws IOException {
        good("ping").with("requires", "pong");
        good("pong").with("requires", "ping");
        assertThat(failures()).extracting(PluginException::reason).containsExactlyInAnyOrder(
                "plugins require each other in a circle: ping -> pong -> ping",
                "plugins require each other in a circle: pong -> ping -> pong");
    }

    @Test
    void aJarBesideTheFolders() throws IOException {
        Files.createDirectories(root.resolve("plugins"));
        Files.writeString(root.resolve("plugins/loose.jar"), "");
        assertThat(failures()).singleElement().hasToString("org.maniple.kernel.plugin.PluginException: plugin [loose.jar] in "
                + root.resolve("plugins/loose.jar") + ": it is a file; a plugin is a folder with jars and a plugin.properties:"
                + " unpack the plugin's zip here");
    }
}
