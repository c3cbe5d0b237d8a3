import org.jspecify.annotations.NullMarked;

/** Pipeline parallelism: layers over stages. */
@NullMarked module org.maniple.parallel.pp {
    requires org.maniple.api;
    requires static org.jspecify;

    provides org.maniple.api.mesh.Parallelism with org.maniple.parallel.pp.PipelineParallelism;
}
