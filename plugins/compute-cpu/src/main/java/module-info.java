import org.jspecify.annotations.NullMarked;

/** Computes on the CPU with the Vector API. */
@NullMarked module org.maniple.compute.cpu {
    requires org.maniple.api;
    requires static org.jspecify;
    // Static, so that the plugin can still be asked, and say what is missing, where the JVM was started without the module.
    requires static jdk.incubator.vector;

    provides org.maniple.api.compute.ComputeBackend with org.maniple.compute.cpu.CpuBackend;
}
