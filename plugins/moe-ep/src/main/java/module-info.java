import org.jspecify.annotations.NullMarked;

/** Expert parallelism: routed experts over ranks, their balancing, and the exchanges of tokens. */
@NullMarked module org.maniple.moe.ep {
    requires org.maniple.api;
    requires static org.jspecify;
    requires tools.jackson.databind;

    provides org.maniple.api.mesh.Parallelism with org.maniple.moe.ep.ExpertParallelism;
    provides org.maniple.api.collective.AllToAll
            with org.maniple.moe.ep.AllGatherReduceScatter, org.maniple.moe.ep.DirectAllToAll,
            org.maniple.moe.ep.RdmaAllToAll, org.maniple.moe.ep.SharedMemoryAllToAll;
}
