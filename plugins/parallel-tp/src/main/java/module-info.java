import org.jspecify.annotations.NullMarked;

/** Tensor parallelism: heads, feed-forward and vocabulary over ranks. */
@NullMarked module org.maniple.parallel.tp {
    requires org.maniple.api;
    requires static org.jspecify;

    provides org.maniple.api.mesh.Parallelism with org.maniple.parallel.tp.TensorParallelism;
}
