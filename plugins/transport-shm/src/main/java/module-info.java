import org.jspecify.annotations.NullMarked;

/** Links between ranks on one host through shared memory. */
@NullMarked module org.maniple.transport.shm {
    requires org.maniple.api;
    requires static org.jspecify;

    provides org.maniple.api.transport.Transport with org.maniple.transport.shm.ShmTransport;
}
