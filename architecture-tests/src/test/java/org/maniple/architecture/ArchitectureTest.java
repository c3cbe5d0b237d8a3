package org.maniple.architecture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Named.named;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.lang.ArchRule;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.maniple.architecture.fixture.CallsNativeCode;
import org.maniple.architecture.fixture.ChangesStatics;
import org.maniple.architecture.fixture.EndsTheProcess;
import org.maniple.architecture.fixture.ForcesAccess;
import org.maniple.architecture.fixture.KnowsAPlugin;
import org.maniple.architecture.fixture.KnowsTheKernel;
import org.maniple.architecture.fixture.LoadsByName;
import org.maniple.architecture.fixture.ReadsTheEnvironment;
import org.maniple.architecture.fixture.Serializes;
import org.maniple.architecture.fixture.ShowsJackson;
import org.maniple.architecture.fixture.Sleeps;
import org.maniple.architecture.fixture.UsesVectors;
import org.maniple.architecture.fixture.left.Left;
import org.maniple.architecture.fixture.right.Right;

/** Each rule holds for the classes it is about, and fails for a class that breaks it. */
class ArchitectureTest {

    private static final Path TOP = Path.of(System.getProperty("maniple.top", ".."));
    private static final SourceModule API = SourceModule.read(TOP.resolve("kernel-api"));
    private static final SourceModule KERNEL = SourceModule.read(TOP.resolve("kernel"));
    private static final SourceModule TESTKIT = SourceModule.read(TOP.resolve("kernel-testkit"));
    private static final List<SourceModule> PLUGINS = SourceModule.readPlugins(TOP.resolve("plugins"));
    private static final JavaClasses ALL = new ClassFileImporter().importPaths(folders());

    /** A rule, the classes that it is about, and classes that break it with what the rule says of them. */
    private record Law(ArchRule rule, JavaClasses about, String complaint, Class<?>... breaking) {}

    private static final List<Named<Law>> LAWS = formulate();

    static List<Named<Law>> laws() {
        return LAWS;
    }

    private static List<Named<Law>> formulate() {
        var laws = new ArrayList<Named<Law>>();
        JavaClasses shipped = without("org.maniple.testkit");
        law(laws, "API stands alone", Rules.API_STANDS_ALONE, API.classes(), "tools.jackson", ShowsJackson.class);
        law(laws, "API has no library types", Rules.API_HAS_NO_LIBRARY_TYPES, API.classes(), "tools.jackson", ShowsJackson.class);
        law(laws, "no mutable statics", Rules.NO_MUTABLE_STATICS, ALL, "counter", ChangesStatics.class);
        law(laws, "kernel names no plugin", Rules.kernelNamesNoPlugin(PLUGINS), KERNEL.classes(), "LlamaFamily",
                KnowsAPlugin.class);
        law(laws, "no cycles", Rules.NO_CYCLES, ALL, "Cycle detected", Left.class, Right.class);
        law(laws, "environment only in config", Rules.NO_ENVIRONMENT, without("org.maniple.testkit", "org.maniple.kernel.config"),
                "getenv", ReadsTheEnvironment.class);
        law(laws, "only the command line exits", Rules.NO_EXIT, outsideOfCommandLine(), "exit", EndsTheProcess.class);
        law(laws, "no forced access", Rules.NO_FORCED_ACCESS, ALL, "setAccessible", ForcesAccess.class);
        law(laws, "no sleep", Rules.NO_SLEEP, ALL, "sleep", Sleeps.class);
        law(laws, "no loading by name", Rules.NO_LOADING_BY_NAME, shipped, "forName", LoadsByName.class);
        law(laws, "no serialization", Rules.NO_SERIALIZATION, ALL, "ObjectInputStream", Serializes.class);
        law(laws, "native calls only where declared", Rules.NO_NATIVE_CALLS, withoutNativeAccess(), "Linker",
                CallsNativeCode.class);
        law(laws, "vectors only in compute plugins", Rules.NO_VECTORS, without("org.maniple.compute"), "FloatVector",
                UsesVectors.class);
        var visible = new VisiblePackages();
        for (SourceModule plugin : PLUGINS) {
            law(laws, plugin + " sees only the API", Rules.pluginSeesOnly(visible.ofPlugin(plugin)), plugin.classes(),
                    "org.maniple.kernel.Main", KnowsTheKernel.class);
            law(laws, "only providers of " + plugin + " are public", Rules.onlyProvidersArePublic(plugin.providers()),
                    plugin.classes(),
                    "KnowsTheKernel", KnowsTheKernel.class);
        }
        return laws;
    }

    @ParameterizedTest
    @MethodSource("laws")
    void holds(Law law) {
        law.rule().check(law.about());
    }

    @ParameterizedTest
    @MethodSource("laws")
    void findsWhatBreaksIt(Law law) {
        JavaClasses breaking = new ClassFileImporter().importClasses(law.breaking());

        assertThatThrownBy(() -> law.rule().check(breaking)).isInstanceOf(AssertionError.class)
                .hasMessageContaining(law.complaint());
    }

    @ParameterizedTest
    @MethodSource("laws")
    void saysWhy(Law law) {
        assertThat(law.rule().getDescription()).contains(", because ");
    }

    @ParameterizedTest
    @MethodSource("modules")
    void aModuleIsReadCompletely(SourceModule module) {
        assertThat(module.classes().stream().map(JavaClass::getName)).containsAll(module.providers());
        assertThat(module.classes()).allMatch(type -> type.getPackageName().startsWith(module.name())
                || type.getSimpleName().equals("module-info"));
    }

    @Test
    void theClassesOfTheKernelAreAmongThoseRead() {
        assertThat(API.classes().contain("org.maniple.api.graph.ModelGraph")).isTrue();
        assertThat(KERNEL.classes().contain("org.maniple.kernel.program.ProgramCompiler")).isTrue();
        assertThat(KERNEL.classes().contain("org.maniple.kernel.Main")).isTrue();
        assertThat(PLUGINS).hasSizeGreaterThanOrEqualTo(11);
        assertThat(ALL.stream().map(JavaClass::getPackageName).distinct().filter(name -> name.startsWith("org.maniple.")))
                .hasSizeGreaterThan(30);
    }

    @ParameterizedTest
    @MethodSource("modules")
    void nothingIsNullUnlessItSaysSo(SourceModule module) {
        assertThat(ModuleAnnotations.of(module.moduleInfo())).as("annotations of module-info")
                .contains("org.jspecify.annotations.NullMarked");
    }

    @Test
    void aModuleWithoutAnnotationsHasNone() {
        assertThat(ModuleAnnotations.of(ModuleAnnotations.bareModuleInfo("org.maniple.bare"))).isEmpty();
    }

    static Stream<SourceModule> modules() {
        return Stream.concat(Stream.of(API, KERNEL, TESTKIT), PLUGINS.stream());
    }

    private static void law(List<Named<Law>> laws, String name, ArchRule rule, JavaClasses about, String complaint,
            Class<?>... breaking) {
        laws.add(named(name, new Law(rule, about, complaint, breaking)));
    }

    private static JavaClasses without(String... packages) {
        return ALL.that(DescribedPredicate.describe("outside of " + List.of(packages), type -> Stream.of(packages)
                .noneMatch(name -> type.getPackageName().equals(name) || type.getPackageName().startsWith(name + "."))));
    }

    private static JavaClasses outsideOfCommandLine() {
        return without("org.maniple.kernel.cli").that(DescribedPredicate.describe("other than Main",
                type -> !type.getName().equals("org.maniple.kernel.Main")
                        && !type.getName().startsWith("org.maniple.kernel.Main$")));
    }

    private static JavaClasses withoutNativeAccess() {
        Set<String> granted = new java.util.HashSet<>();
        PLUGINS.forEach(plugin -> granted.addAll(plugin.nativeAccess()));
        return without(granted.toArray(String[]::new));
    }

    private static List<Path> folders() {
        var folders = new ArrayList<Path>();
        Stream.of("kernel-api", "kernel", "kernel-testkit")
                .forEach(name -> folders.add(TOP.resolve(name).resolve("target/classes")));
        for (String plugin : TOP.resolve("plugins").toFile().list()) {
            Path classes = TOP.resolve("plugins").resolve(plugin).resolve("target/classes");
            if (classes.toFile().isDirectory()) {
                folders.add(classes);
            }
        }
        return folders;
    }
}
