import org.jspecify.annotations.NullMarked;

/** Contract tests: a plugin's test extends the contract of its kind and passes it, or is not a plugin of that kind. */
@NullMarked module org.maniple.testkit {
    requires transitive org.junit.jupiter.api;
    requires transitive org.maniple.api;
    requires static org.jspecify;
    requires jdk.management;
    requires tools.jackson.databind;

    exports org.maniple.testkit;
}
