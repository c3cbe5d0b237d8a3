package org.maniple.transport.rdma;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Structures of UCX 1.13 with the fields that are used. Each says in its mask which of its fields are set, and later versions of UCX add fields at the
 * end only.
 */
final class Structs {

    static final long CONTEXT_BYTES = 80;
    static final long WORKER_BYTES = 200;
    static final long ENDPOINT_BYTES = 104;
    static final long REQUEST_BYTES = 72;
    static final long MEMORY_BYTES = 40;

    static final long FEATURES_AT = 8;
    static final long ESTIMATED_ENDPOINTS_AT = 56;
    static final long THREAD_MODE_AT = 8;
    static final long ADDRESS_AT = 8;
    static final long ERROR_MODE_AT = 16;
    static final long ERROR_HANDLER_AT = 24;
    static final long FLAGS_AT = 4;
    static final long MEMORY_TYPE_AT = 48;
    static final long MEMORY_HANDLE_AT = 64;

    private static final long FEATURE_TAG = 1;
    private static final long FEATURE_WAKEUP = 16;
    private static final long ESTIMATED_ENDPOINTS = 64;
    /** One thread at a time, not always the same. */
    private static final int SERIALIZED = 1;
    private static final int HANDLES_ERRORS = 1;
    private static final int FIELD_FLAGS = 16;
    private static final int FIELD_MEMORY_TYPE = 64;
    private static final int FIELD_MEMORY_HANDLE = 256;
    private static final int FORCE = 1;

    private Structs() {}

    /** {@code ucp_params_t}. */
    static MemorySegment context(Arena arena, int peers) {
        MemorySegment struct = arena.allocate(CONTEXT_BYTES, Long.BYTES);
        struct.set(JAVA_LONG, 0, 1 | ESTIMATED_ENDPOINTS);
        struct.set(JAVA_LONG, FEATURES_AT, FEATURE_TAG | FEATURE_WAKEUP);
        struct.set(JAVA_LONG, ESTIMATED_ENDPOINTS_AT, peers);
        return struct;
    }

    /** {@code ucp_worker_params_t}. */
    static MemorySegment worker(Arena arena) {
        MemorySegment struct = arena.allocate(WORKER_BYTES, Long.BYTES);
        struct.set(JAVA_LONG, 0, 1);
        struct.set(JAVA_INT, THREAD_MODE_AT, SERIALIZED);
        return struct;
    }

    /**
     * {@code ucp_ep_params_t}.
     *
     * @param handler called with a number and the endpoint when it fails
     */
    static MemorySegment endpoint(Arena arena, MemorySegment address, MemorySegment handler, long number) {
        MemorySegment struct = arena.allocate(ENDPOINT_BYTES, Long.BYTES);
        struct.set(JAVA_LONG, 0, 1 | 2 | 4);
        struct.set(JAVA_LONG, ADDRESS_AT, address.address());
        struct.set(JAVA_INT, ERROR_MODE_AT, HANDLES_ERRORS);
        struct.set(JAVA_LONG, ERROR_HANDLER_AT, handler.address());
        struct.set(JAVA_LONG, ERROR_HANDLER_AT + Long.BYTES, number);
        return struct;
    }

    /** {@code ucp_request_param_t} of an operation on host memory. */
    static MemorySegment request(Arena arena) {
        MemorySegment struct = arena.allocate(REQUEST_BYTES, Long.BYTES);
        struct.set(JAVA_INT, 0, FIELD_MEMORY_TYPE);
        return struct;
    }

    /** {@code ucp_request_param_t} of an operation on registered memory. */
    static MemorySegment request(Arena arena, long memory) {
        MemorySegment struct = request(arena);
        struct.set(JAVA_INT, 0, FIELD_MEMORY_TYPE | FIELD_MEMORY_HANDLE);
        struct.set(JAVA_LONG, MEMORY_HANDLE_AT, memory);
        return struct;
    }

    /** {@code ucp_request_param_t} of closing an endpoint without waiting for anything. */
    static MemorySegment force(Arena arena) {
        MemorySegment struct = arena.allocate(REQUEST_BYTES, Long.BYTES);
        struct.set(JAVA_INT, 0, FIELD_FLAGS);
        struct.set(JAVA_INT, FLAGS_AT, FORCE);
        return struct;
    }

    /** {@code ucp_mem_map_params_t} of memory that there is. */
    static MemorySegment existing(Arena arena, MemorySegment memory) {
        MemorySegment struct = arena.allocate(MEMORY_BYTES, Long.BYTES);
        struct.set(JAVA_LONG, 0, 1 | 2);
        struct.set(JAVA_LONG, 8, memory.address());
        struct.set(JAVA_LONG, 16, memory.byteSize());
        return struct;
    }
}
