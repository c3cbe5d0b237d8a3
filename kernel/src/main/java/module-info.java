import org.jspecify.annotations.NullMarked;

/** The kernel: discovery of plugins, configuration, compiler, rank loop, scheduler, command line. It exports nothing to plugins. */
@NullMarked module org.maniple.kernel {
    requires info.picocli;
    requires org.maniple.api;
    requires static org.jspecify;
    requires tools.jackson.databind;
    requires tools.jackson.dataformat.yaml;
    // Netty in a plugin layer needs it, and a layer can only use modules that the boot layer resolved.
    requires jdk.unsupported;
}
