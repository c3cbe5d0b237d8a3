import org.jspecify.annotations.NullMarked;

/** Collective operations on top of any transport, summed along one balanced tree. */
@NullMarked module org.maniple.collectives.tree {
    requires org.maniple.api;
    requires static org.jspecify;

    provides org.maniple.api.collective.Collectives with org.maniple.collectives.tree.TreeCollectives;
}
