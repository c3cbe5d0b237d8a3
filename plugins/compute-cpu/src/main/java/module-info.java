import org.jspecify.annotations.NullMarked;

/** Computes on the CPU with the Vector API. */
@NullMarked module org.maniple.compute.cpu {
    requires org.maniple.api;
    requires static org.jspecify;
    requires jdk.incubator.vector;
}
