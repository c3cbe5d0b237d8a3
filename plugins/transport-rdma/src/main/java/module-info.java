import org.jspecify.annotations.NullMarked;

/** Links between ranks over InfiniBand and RoCE, by UCX. */
@NullMarked module org.maniple.transport.rdma {
    requires org.maniple.api;
    requires static org.jspecify;

    provides org.maniple.api.transport.Transport with org.maniple.transport.rdma.RdmaTransport;
}
