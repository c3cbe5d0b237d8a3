/**
 * What plugins of Maniple implement and the values that pass between them and the kernel. Depends on {@code java.base} alone.
 */
@org.jspecify.annotations.NullMarked module org.maniple.api {
    requires static transitive org.jspecify;

    exports org.maniple.api;
    exports org.maniple.api.checkpoint;
    exports org.maniple.api.collective;
    exports org.maniple.api.compute;
    exports org.maniple.api.config;
    exports org.maniple.api.engine;
    exports org.maniple.api.frontend;
    exports org.maniple.api.graph;
    exports org.maniple.api.mesh;
    exports org.maniple.api.model;
    exports org.maniple.api.step;
    exports org.maniple.api.tensor;
    exports org.maniple.api.text;
    exports org.maniple.api.transport;
}
