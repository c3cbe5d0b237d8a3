package org.maniple.architecture;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.core.domain.JavaAccess.Predicates.target;
import static com.tngtech.archunit.lang.conditions.ArchConditions.dependOnClassesThat;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaField;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import com.tngtech.archunit.lang.conditions.ArchConditions;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/** The rules. To which classes each applies is said in {@link ArchitectureTest}. */
final class Rules {

    static final ArchRule API_STANDS_ALONE = classes().should().onlyDependOnClassesThat()
            .resideInAnyPackage("java..", "org.jspecify..", "org.maniple.api..")
            .because("every plugin has the API in its layer, so whatever the API needs would be forced on all of them");

    static final ArchRule API_HAS_NO_LIBRARY_TYPES = noClasses().should().dependOnClassesThat()
            .resideInAnyPackage("tools.jackson..", "com.fasterxml..", "io.netty..")
            .because(
                    "plugins bring their own versions of these libraries, and two versions have two different types of one name");

    static final ArchRule NO_MUTABLE_STATICS = fields().that().areStatic().and(describe("are written by people",
            field -> !field.getModifiers().contains(JavaModifier.SYNTHETIC))).should(beImmutable())
            .because("several units live in one process in tests, and what they share in secret makes them depend on each other");

    static final ArchRule NO_CYCLES = slices().matching("org.maniple.(**)").should().beFreeOfCycles()
            .because("packages that need each other can only be understood, tested and replaced together");

    static final ArchRule NO_ENVIRONMENT = noClasses().should().accessTargetWhere(calls(System.class, "getenv", "getProperty",
            "getProperties", "setProperty")).orShould().accessTargetWhere(calls(Integer.class, "getInteger"))
            .orShould().accessTargetWhere(calls(Long.class, "getLong"))
            .orShould().accessTargetWhere(calls(Boolean.class, "getBoolean"))
            .because(
                    "all that a run depends on must be in its configuration, where it is checked, printed and compared between ranks");

    static final ArchRule NO_EXIT = noClasses().should().accessTargetWhere(calls(System.class, "exit"))
            .orShould().accessTargetWhere(calls(Runtime.class, "exit", "halt"))
            .because(
                    "only the command line ends the process: other code runs inside of tests, and of processes that have more to do");

    static final ArchRule NO_FORCED_ACCESS = noClasses()
            .should().accessTargetWhere(calls(java.lang.reflect.AccessibleObject.class, "setAccessible", "trySetAccessible"))
            .because("what a class hides it may change, and modules hide it from reflection too");

    static final ArchRule NO_SLEEP = noClasses().should().accessTargetWhere(calls(Thread.class, "sleep"))
            .orShould().accessTargetWhere(calls(java.util.concurrent.TimeUnit.class, "sleep"))
            .because("who sleeps wakes too late or too early: wait for the event, with a limit");

    static final ArchRule NO_LOADING_BY_NAME = noClasses().should().accessTargetWhere(calls(Class.class, "forName"))
            .orShould().dependOnClassesThat().belongToAnyOf(java.net.URLClassLoader.class)
            .because("the kernel finds what a plugin provides by its module-info, and a name of a class may come from outside");

    static final ArchRule NO_SERIALIZATION = noClasses().should().dependOnClassesThat()
            .belongToAnyOf(java.io.ObjectInputStream.class, java.io.ObjectOutputStream.class)
            .because("reading a stream of Java objects runs code that the sender chooses");

    static final ArchRule NO_NATIVE_CALLS = noClasses().should().dependOnClassesThat()
            .belongToAnyOf(java.lang.foreign.Linker.class, java.lang.foreign.SymbolLookup.class)
            .because(
                    "the kernel allows native calls only to modules that maniple.plugin.native-access names; others fail at run time");

    static final ArchRule NO_VECTORS = noClasses().should().dependOnClassesThat().resideInAPackage("jdk.incubator.vector..")
            .because("the module is incubating, and only compute plugins can say so when it is missing");

    private Rules() {}

    static ArchRule kernelNamesNoPlugin(List<SourceModule> plugins) {
        String[] packages = plugins.stream().map(plugin -> plugin.name() + "..").toArray(String[]::new);
        return noClasses().should().dependOnClassesThat().resideInAnyPackage(packages)
                .because("a part that the kernel names cannot be left out, replaced or added from outside");
    }

    static ArchRule pluginSeesOnly(Set<String> packages) {
        var hidden = describe("are neither of the plugin, of the API, nor of a library that it declares",
                (JavaClass type) -> !type.getBaseComponentType().isPrimitive()
                        && !packages.contains(type.getBaseComponentType().getPackageName()));
        return noClasses().should(dependOnClassesThat(hidden)).allowEmptyShould(true)
                .because("a plugin that knows the kernel or another plugin cannot be built, versioned and installed by itself");
    }

    static ArchRule onlyProvidersArePublic(Set<String> providers) {
        return classes().that().areTopLevelClasses().and(describe("are not package descriptions",
                (JavaClass type) -> !type.getSimpleName().equals("package-info"))).and().arePublic()
                .should(ArchConditions.be(describe("named in a provides line of module-info",
                        (JavaClass type) -> providers.contains(type.getName()))))
                .allowEmptyShould(true)
                .because("what is public is used, and then cannot be changed; the kernel needs the providers alone");
    }

    private static DescribedPredicate<com.tngtech.archunit.core.domain.JavaAccess<?>> calls(Class<?> owner, String... methods) {
        return target(describe(owner.getSimpleName() + "." + String.join("/", methods),
                access -> Arrays.asList(methods).contains(access.getName()) && access.getOwner().isAssignableTo(owner)));
    }

    /** Final, and of no type that is there to be changed. */
    private static ArchCondition<JavaField> beImmutable() {
        return new ArchCondition<>("be immutable") {
            @Override
            public void check(JavaField field, ConditionEvents events) {
                JavaClass type = field.getRawType();
                boolean changeable = !field.getModifiers().contains(JavaModifier.FINAL)
                        || type.getPackageName().startsWith("java.util.concurrent")
                        || type.isAssignableTo(ThreadLocal.class)
                        || type.isAssignableTo(java.util.Collection.class) && !type.isInterface()
                        || type.isAssignableTo(java.util.Map.class) && !type.isInterface();
                events.add(new SimpleConditionEvent(field, !changeable, field.getFullName() + " of type " + type.getName()
                        + (changeable ? " can be changed" : " cannot be changed")));
            }
        };
    }
}
