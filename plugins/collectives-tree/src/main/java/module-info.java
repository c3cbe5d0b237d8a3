import org.jspecify.annotations.NullMarked;

/** Collective operations on top of any transport, summed along one balanced tree. */
@NullMarked module org.maniple.collectives.tree {
    requires org.maniple.api;
    requires static org.jspecify;
}
