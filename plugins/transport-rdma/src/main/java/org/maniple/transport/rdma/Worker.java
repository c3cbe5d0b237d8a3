package org.maniple.transport.rdma;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * A context and a worker of UCX: what one rank communicates with. For use by one thread at a time, but for {@link #wakeUp} and {@link #close}.
 */
final class Worker implements AutoCloseable {

    private static final Pattern OF_TRANSPORTS = Pattern.compile("^(IB|RC|TCP|POSIX|SYSV)_");

    private final Ucp ucp;
    private final long context;
    private final long handle;
    private final byte[] address;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment plain = Structs.request(arena);
    private final MemorySegment force = Structs.force(arena);
    private final LibC.Sleep sleep;
    private boolean open = true;

    private Worker(Ucp ucp, long context, long handle) throws UcxException {
        this.ucp = ucp;
        this.context = context;
        this.handle = handle;
        MemorySegment where = arena.allocate(JAVA_LONG);
        MemorySegment length = arena.allocate(JAVA_LONG);
        check("ucp_worker_get_address", ucp.workerAddress(handle, where, length));
        long at = where.get(JAVA_LONG, 0);
        this.address = MemorySegment.ofAddress(at).reinterpret(length.get(JAVA_LONG, 0)).toArray(JAVA_BYTE);
        ucp.releaseAddress(handle, at);
        MemorySegment descriptor = arena.allocate(JAVA_INT);
        check("ucp_worker_get_efd", ucp.eventDescriptor(handle, descriptor));
        this.sleep = new LibC.Sleep(arena, descriptor.get(JAVA_INT, 0));
    }

    /**
     * Opens a worker.
     *
     * @param variables of UCX, without {@code UCX_} in front
     * @param ranks how many there will be
     */
    static Worker open(Ucp ucp, Map<String, String> variables, int ranks) throws UcxException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment config = arena.allocate(JAVA_LONG);
            check(ucp, "ucp_config_read", ucp.configRead(config));
            long configuration = config.get(JAVA_LONG, 0);
            MemorySegment context = arena.allocate(JAVA_LONG);
            try {
                for (Map.Entry<String, String> variable : variables.entrySet()) {
                    set(ucp, configuration, variable.getKey(), variable.getValue(), arena);
                }
                check(ucp, "ucp_init", ucp.init(1, UcxLibrary.MINOR, Structs.context(arena, ranks), configuration, context));
            } finally {
                ucp.configRelease(configuration);
            }
            return open(ucp, context.get(JAVA_LONG, 0), arena);
        }
    }

    /** What a context does not know is of the transports below it, which read the environment when they are opened. */
    private static void set(Ucp ucp, long configuration, String name, String value, Arena arena) throws UcxException {
        if (OF_TRANSPORTS.matcher(name).find()) {
            LibC.environment("UCX_" + name, value, true);
        } else {
            check(ucp, "UCX_" + name + "=" + value,
                    ucp.configModify(configuration, arena.allocateFrom(name), arena.allocateFrom(value)));
        }
    }

    private static Worker open(Ucp ucp, long context, Arena arena) throws UcxException {
        MemorySegment worker = arena.allocate(JAVA_LONG);
        try {
            check(ucp, "ucp_worker_create", ucp.workerCreate(context, Structs.worker(arena), worker));
        } catch (UcxException e) {
            ucp.cleanup(context);
            throw e;
        }
        try {
            return new Worker(ucp, context, worker.get(JAVA_LONG, 0));
        } catch (UcxException e) {
            ucp.workerDestroy(worker.get(JAVA_LONG, 0));
            ucp.cleanup(context);
            throw e;
        }
    }

    private static void check(Ucp ucp, String what, byte status) throws UcxException {
        if (status != Status.OK) {
            throw new UcxException(what + ": " + ucp.describe(status));
        }
    }

    private void check(String what, byte status) throws UcxException {
        check(ucp, what, status);
    }

    /** What peers need to reach it. */
    byte[] address() {
        return address.clone();
    }

    /** What a status means, in UCX' words. */
    String words(byte status) {
        return ucp.describe(status);
    }

    boolean progress() {
        return ucp.progress(handle) != 0;
    }

    /**
     * Sleeps until something happens, somebody calls {@link #wakeUp}, or the time is over; returns at once if something has happened since the last
     * look.
     */
    void sleep(long nanos) {
        if (ucp.arm(handle) == Status.OK) {
            sleep.sleep(nanos);
        }
    }

    /** Ends a sleep; for any thread. */
    synchronized void wakeUp() {
        if (open) {
            ucp.signal(handle);
        }
    }

    /**
     * Makes the way to a peer.
     *
     * @param handler called when it fails
     * @param number given to the handler
     */
    long endpoint(byte[] peer, MemorySegment handler, long number) throws UcxException {
        try (Arena temporary = Arena.ofConfined()) {
            MemorySegment endpoint = temporary.allocate(JAVA_LONG);
            MemorySegment theirs = temporary.allocate(peer.length, Long.BYTES);
            MemorySegment.copy(peer, 0, theirs, JAVA_BYTE, 0, peer.length);
            check("ucp_ep_create",
                    ucp.endpointCreate(handle, Structs.endpoint(temporary, theirs, handler, number), endpoint));
            return endpoint.get(JAVA_LONG, 0);
        }
    }

    /** What it communicates by, for people. */
    String info() {
        return ucp.contextInfo(context);
    }

    String describe(long endpoint) {
        return ucp.endpointInfo(endpoint);
    }

    /**
     * Begins to send a message.
     *
     * @param memory what describes the memory it is in; {@link #plain()} if it is not registered
     * @return a request, or 0 if the memory may be used again already
     */
    long send(long endpoint, long address, long bytes, long tag, MemorySegment memory) throws UcxException {
        return begun(ucp.send(endpoint, address, bytes, tag, memory));
    }

    /** As {@link #send}; done when the receiver has asked for the message. */
    long sendSynchronously(long endpoint, long address, long bytes, long tag, MemorySegment memory) throws UcxException {
        return begun(ucp.sendSynchronously(endpoint, address, bytes, tag, memory));
    }

    /** Begins to receive the message with this tag, of at most so many bytes. */
    long receive(long address, long bytes, long tag, MemorySegment memory) throws UcxException {
        return begun(ucp.receive(handle, address, bytes, tag, memory));
    }

    private long begun(long request) throws UcxException {
        if (Status.isError(request)) {
            throw new UcxException(ucp.describe(request));
        }
        return request;
    }

    /** Whether a request is done; it is then forgotten, but not if it has failed. */
    boolean done(long request) throws UcxException {
        byte status = ucp.status(request);
        if (status == Status.IN_PROGRESS) {
            return false;
        }
        if (status != Status.OK) {
            throw new UcxException(ucp.describe(status));
        }
        ucp.free(request);
        return true;
    }

    /** Whether a request has come to any end; it is then forgotten. */
    boolean over(long request) {
        if (ucp.status(request) == Status.IN_PROGRESS) {
            return false;
        }
        ucp.free(request);
        return true;
    }

    void cancel(long request) {
        ucp.cancel(handle, request);
    }

    /** Begins to wait until all that was sent has left for good. */
    long flush(long endpoint) throws UcxException {
        return begun(ucp.endpointFlush(endpoint, plain));
    }

    /** Begins to end the way to a peer, at once: what is under way comes to an end with an error. */
    long end(long endpoint) throws UcxException {
        return begun(ucp.endpointClose(endpoint, force));
    }

    MemorySegment plain() {
        return plain;
    }

    /** Registers memory, so that devices can read and write it. */
    long register(MemorySegment memory) throws UcxException {
        return map(Structs.existing(arena, memory), "registering " + memory.byteSize() + " bytes");
    }

    private long map(MemorySegment parameters, String what) throws UcxException {
        try (Arena temporary = Arena.ofConfined()) {
            MemorySegment result = temporary.allocate(JAVA_LONG);
            check(what, ucp.memoryMap(context, parameters, result));
            return result.get(JAVA_LONG, 0);
        }
    }

    void unregister(long memory) {
        byte ignored = ucp.memoryUnmap(context, memory);
    }

    /** After it nothing of this worker may be used; endpoints and registered memory must have been given back. */
    @Override
    public synchronized void close() {
        if (open) {
            open = false;
            ucp.workerDestroy(handle);
            ucp.cleanup(context);
            arena.close();
        }
    }
}
