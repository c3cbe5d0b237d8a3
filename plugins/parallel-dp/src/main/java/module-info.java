import org.jspecify.annotations.NullMarked;

/** Data parallelism: sequences over groups of ranks. */
@NullMarked module org.maniple.parallel.dp {
    requires org.maniple.api;
    requires static org.jspecify;

    provides org.maniple.api.mesh.Parallelism with org.maniple.parallel.dp.DataParallelism;
}
