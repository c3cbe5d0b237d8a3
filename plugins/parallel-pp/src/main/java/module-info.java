import org.jspecify.annotations.NullMarked;

/** Pipeline parallelism: layers over stages. */
@NullMarked module org.maniple.parallel.pp {
    requires org.maniple.api;
    requires static org.jspecify;
}
