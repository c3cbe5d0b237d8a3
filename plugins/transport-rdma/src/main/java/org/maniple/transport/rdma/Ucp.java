package org.maniple.transport.rdma;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;

/**
 * The functions of libucp that are used, as {@code ucp/api/ucp.h} of UCX 1.13 declares them; later versions keep these. Addresses of handles,
 * buffers and requests are numbers, so that calls do not allocate. Safe for use by several threads as far as UCX itself is.
 */
final class Ucp {

    private static final Linker LINKER = Linker.nativeLinker();
    /** Handles take the function as their first argument: they are constants for the compiler, whichever library is loaded. */
    private static final MethodHandle LONG_TO_BYTE = handle(FunctionDescriptor.of(JAVA_BYTE, JAVA_LONG));
    private static final MethodHandle LONG_TO_INT = handle(FunctionDescriptor.of(JAVA_INT, JAVA_LONG));
    /** Returns at once, calls nothing, waits for nothing. */
    private static final MethodHandle STATUS = handle(FunctionDescriptor.of(JAVA_BYTE, JAVA_LONG), Linker.Option.critical(false));
    private static final MethodHandle SEND = handle(
            FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG));
    private static final MethodHandle RECEIVE = handle(
            FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG));
    private static final MethodHandle TWO = handle(FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG));
    private static final MethodHandle ONE = handle(FunctionDescriptor.ofVoid(JAVA_LONG));
    private static final MethodHandle TWO_TO_NONE = handle(FunctionDescriptor.ofVoid(JAVA_LONG, JAVA_LONG));
    private static final MethodHandle TWO_TO_BYTE = handle(FunctionDescriptor.of(JAVA_BYTE, JAVA_LONG, JAVA_LONG));
    private static final MethodHandle THREE_TO_BYTE = handle(FunctionDescriptor.of(JAVA_BYTE, JAVA_LONG, JAVA_LONG, JAVA_LONG));
    private static final MethodHandle THREE_TO_NONE = handle(FunctionDescriptor.ofVoid(JAVA_LONG, JAVA_LONG, JAVA_LONG));
    private static final MethodHandle INIT = handle(
            FunctionDescriptor.of(JAVA_BYTE, JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG));
    private static final MethodHandle BYTE_TO_TEXT = handle(FunctionDescriptor.of(ADDRESS, JAVA_BYTE));

    private final SymbolLookup symbols;
    private final MemorySegment workerProgress;
    private final MemorySegment workerArm;
    private final MemorySegment workerSignal;
    private final MemorySegment tagSend;
    private final MemorySegment tagSendSync;
    private final MemorySegment tagReceive;
    private final MemorySegment checkStatus;
    private final MemorySegment requestFree;
    private final MemorySegment requestCancel;

    /**
     * Finds the functions.
     *
     * @throws java.util.NoSuchElementException if one is missing, which it names
     */
    Ucp(SymbolLookup symbols) {
        this.symbols = symbols;
        this.workerProgress = find("ucp_worker_progress");
        this.workerArm = find("ucp_worker_arm");
        this.workerSignal = find("ucp_worker_signal");
        this.tagSend = find("ucp_tag_send_nbx");
        this.tagSendSync = find("ucp_tag_send_sync_nbx");
        this.tagReceive = find("ucp_tag_recv_nbx");
        this.checkStatus = find("ucp_request_check_status");
        this.requestFree = find("ucp_request_free");
        this.requestCancel = find("ucp_request_cancel");
        find("ucp_ep_close_nbx");
        find("ucp_ep_flush_nbx");
    }

    private static MethodHandle handle(FunctionDescriptor descriptor, Linker.Option... options) {
        return LINKER.downcallHandle(descriptor, options);
    }

    private MemorySegment find(String name) {
        return symbols.findOrThrow(name);
    }

    private static IllegalStateException failed(Throwable cause) {
        return new IllegalStateException("UCX cannot be called: " + cause, cause);
    }

    /** What a status means, in UCX' words. */
    String describe(long status) {
        try (Arena arena = Arena.ofConfined()) {
            var text = (MemorySegment) BYTE_TO_TEXT.invokeExact(find("ucs_status_string"), (byte) status);
            return text.reinterpret(Short.MAX_VALUE, arena, null).getString(0) + " (" + status + ")";
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    // ---- configuration, context ----

    byte configRead(MemorySegment config) {
        return call3("ucp_config_read", 0, 0, config.address());
    }

    byte configModify(long config, MemorySegment name, MemorySegment value) {
        return call3("ucp_config_modify", config, name.address(), value.address());
    }

    void configRelease(long config) {
        callOne("ucp_config_release", config);
    }

    byte init(int major, int minor, MemorySegment parameters, long config, MemorySegment context) {
        try {
            return (byte) INIT.invokeExact(find("ucp_init_version"), major, minor, parameters.address(), config,
                    context.address());
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    /** What a context communicates by, for people. */
    String contextInfo(long context) {
        return LibC.printed(file -> callTwo("ucp_context_print_info", context, file.address()));
    }

    void cleanup(long context) {
        callOne("ucp_cleanup", context);
    }

    // ---- worker ----

    byte workerCreate(long context, MemorySegment parameters, MemorySegment worker) {
        return call3("ucp_worker_create", context, parameters.address(), worker.address());
    }

    void workerDestroy(long worker) {
        callOne("ucp_worker_destroy", worker);
    }

    byte workerAddress(long worker, MemorySegment address, MemorySegment length) {
        return call3("ucp_worker_get_address", worker, address.address(), length.address());
    }

    void releaseAddress(long worker, long address) {
        callTwo("ucp_worker_release_address", worker, address);
    }

    byte eventDescriptor(long worker, MemorySegment descriptor) {
        return call2("ucp_worker_get_efd", worker, descriptor.address());
    }

    /** Moves what can be moved; may call the error handlers of endpoints. */
    int progress(long worker) {
        try {
            return (int) LONG_TO_INT.invokeExact(workerProgress, worker);
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    byte arm(long worker) {
        try {
            return (byte) LONG_TO_BYTE.invokeExact(workerArm, worker);
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    byte signal(long worker) {
        try {
            return (byte) LONG_TO_BYTE.invokeExact(workerSignal, worker);
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    // ---- endpoints ----

    byte endpointCreate(long worker, MemorySegment parameters, MemorySegment endpoint) {
        return call3("ucp_ep_create", worker, parameters.address(), endpoint.address());
    }

    long endpointClose(long endpoint, MemorySegment parameters) {
        return call2Long("ucp_ep_close_nbx", endpoint, parameters.address());
    }

    long endpointFlush(long endpoint, MemorySegment parameters) {
        return call2Long("ucp_ep_flush_nbx", endpoint, parameters.address());
    }

    /** Which transports an endpoint uses, for people. */
    String endpointInfo(long endpoint) {
        return LibC.printed(file -> callTwo("ucp_ep_print_info", endpoint, file.address()));
    }

    // ---- messages ----

    long send(long endpoint, long address, long bytes, long tag, MemorySegment parameters) {
        try {
            return (long) SEND.invokeExact(tagSend, endpoint, address, bytes, tag, parameters.address());
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    /** As {@link #send}, but under way until the receiver has asked for the message. */
    long sendSynchronously(long endpoint, long address, long bytes, long tag, MemorySegment parameters) {
        try {
            return (long) SEND.invokeExact(tagSendSync, endpoint, address, bytes, tag, parameters.address());
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    long receive(long worker, long address, long bytes, long tag, MemorySegment parameters) {
        try {
            return (long) RECEIVE.invokeExact(tagReceive, worker, address, bytes, tag, -1L, parameters.address());
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    byte status(long request) {
        try {
            return (byte) STATUS.invokeExact(checkStatus, request);
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    void free(long request) {
        try {
            ONE.invokeExact(requestFree, request);
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    void cancel(long worker, long request) {
        try {
            TWO_TO_NONE.invokeExact(requestCancel, worker, request);
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    // ---- memory ----

    byte memoryMap(long context, MemorySegment parameters, MemorySegment handle) {
        return call3("ucp_mem_map", context, parameters.address(), handle.address());
    }

    byte memoryUnmap(long context, long handle) {
        return call2("ucp_mem_unmap", context, handle);
    }

    // ---- rare calls ----

    void version(MemorySegment numbers) {
        try {
            THREE_TO_NONE.invokeExact(find("ucp_get_version"), numbers.address(), numbers.address() + Integer.BYTES,
                    numbers.address() + 2L * Integer.BYTES);
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    private byte call2(String function, long one, long two) {
        try {
            return (byte) TWO_TO_BYTE.invokeExact(find(function), one, two);
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    private byte call3(String function, long one, long two, long three) {
        try {
            return (byte) THREE_TO_BYTE.invokeExact(find(function), one, two, three);
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    private long call2Long(String function, long one, long two) {
        try {
            return (long) TWO.invokeExact(find(function), one, two);
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    private void callOne(String function, long one) {
        try {
            ONE.invokeExact(find(function), one);
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    private void callTwo(String function, long one, long two) {
        try {
            TWO_TO_NONE.invokeExact(find(function), one, two);
        } catch (Throwable e) {
            throw failed(e);
        }
    }
}
