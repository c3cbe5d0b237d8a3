import org.jspecify.annotations.NullMarked;

/** The kernel: discovery of plugins, configuration, compiler, rank loop, scheduler, command line. It exports nothing to plugins. */
@NullMarked module org.maniple.kernel {
    requires info.picocli;
    requires org.maniple.api;
    requires static org.jspecify;
    requires java.management;
    requires java.net.http;
    requires jdk.httpserver;
    requires jdk.management;
    requires tools.jackson.databind;
    requires tools.jackson.dataformat.yaml;
    // Netty in a plugin layer needs it, and a layer can only use modules that the boot layer resolved.
    requires java.logging;
    requires jdk.unsupported;

    opens org.maniple.kernel.cli to info.picocli;

    uses org.maniple.api.Plugin;
    uses org.maniple.api.checkpoint.CheckpointFormat;
    uses org.maniple.api.collective.AllToAll;
    uses org.maniple.api.collective.Collectives;
    uses org.maniple.api.compute.ComputeBackend;
    uses org.maniple.api.engine.SchedulingPolicy;
    uses org.maniple.api.frontend.Frontend;
    uses org.maniple.api.mesh.Parallelism;
    uses org.maniple.api.model.ModelArchitecture;
    uses org.maniple.api.text.Tokenizer;
    uses org.maniple.api.transport.Transport;

    provides org.maniple.api.engine.SchedulingPolicy with org.maniple.kernel.engine.ArrivalPolicy,
            org.maniple.kernel.engine.PriorityPolicy;
    provides org.maniple.api.transport.Transport with org.maniple.kernel.local.LocalTransport;
}
