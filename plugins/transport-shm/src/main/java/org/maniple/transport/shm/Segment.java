package org.maniple.transport.shm;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** The memory of one rank, as this process sees it. It stays mapped while somebody can reach it. */
final class Segment {

    static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();
    static final VarHandle INT = ValueLayout.JAVA_INT.varHandle();

    private final Linux linux;
    private final Layout layout;
    private final MemorySegment memory;
    private final MemorySegment bell;

    private Segment(Linux linux, Layout layout, MemorySegment memory) {
        this.linux = linux;
        this.layout = layout;
        this.memory = memory;
        this.bell = memory.asSlice(Layout.AT_BELL, Integer.BYTES);
    }

    /** Fills new memory of this rank. */
    static Segment create(Linux linux, Layout layout, Path file, byte[] nonce, byte[] proof) throws IOException {
        var own = new Segment(linux, layout, map(file, layout.bytes()));
        own.memory.set(ValueLayout.JAVA_INT, Layout.AT_VERSION, Layout.VERSION);
        own.memory.set(ValueLayout.JAVA_INT, Layout.AT_RANKS, layout.ranks());
        own.write(Layout.AT_NONCE, nonce);
        own.write(Layout.AT_PROOF, proof);
        LONG.setRelease(own.memory, 0L, Layout.MAGIC);
        return own;
    }

    /** Maps the memory of another rank. */
    static Segment open(Linux linux, Layout layout, Path file) throws IOException {
        try (FileChannel channel = channel(file)) {
            if (channel.size() != layout.bytes()) {
                throw new IOException("it has " + channel.size() + " bytes instead of " + layout.bytes()
                        + ": other software, or a unit of other ranks");
            }
        }
        var other = new Segment(linux, layout, map(file, layout.bytes()));
        if ((long) LONG.getAcquire(other.memory, 0L) != Layout.MAGIC
                || other.memory.get(ValueLayout.JAVA_INT, Layout.AT_VERSION) != Layout.VERSION
                || other.memory.get(ValueLayout.JAVA_INT, Layout.AT_RANKS) != layout.ranks()) {
            throw new IOException("it is not memory of this version and of a unit of " + layout.ranks() + " ranks");
        }
        return other;
    }

    private static FileChannel channel(Path file) throws IOException {
        return FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
    }

    private static MemorySegment map(Path file, long bytes) throws IOException {
        try (FileChannel channel = channel(file)) {
            return channel.map(MapMode.READ_WRITE, 0, bytes, Arena.ofAuto());
        }
    }

    Layout layout() {
        return layout;
    }

    MemorySegment memory() {
        return memory;
    }

    byte[] nonce() {
        return read(Layout.AT_NONCE);
    }

    byte[] proof() {
        return read(Layout.AT_PROOF);
    }

    /** Another rank says that it uses this memory. */
    void attach(int rank, byte[] nonce, byte[] proof) {
        long at = layout.guest(rank);
        write(at + Layout.GUEST_NONCE, nonce);
        write(at + Layout.GUEST_PROOF, proof);
        INT.setRelease(memory, at, 1);
    }

    boolean attached(int rank) {
        return (int) INT.getAcquire(memory, layout.guest(rank)) != 0;
    }

    byte[] guestNonce(int rank) {
        return read(layout.guest(rank) + Layout.GUEST_NONCE);
    }

    byte[] guestProof(int rank) {
        return read(layout.guest(rank) + Layout.GUEST_PROOF);
    }

    private void write(long at, byte[] bytes) {
        MemorySegment.copy(bytes, 0, memory, ValueLayout.JAVA_BYTE, at, bytes.length);
    }

    private byte[] read(long at) {
        return memory.asSlice(at, Proof.BYTES).toArray(ValueLayout.JAVA_BYTE);
    }

    void close() {
        INT.setRelease(memory, Layout.AT_CLOSED, 1);
    }

    boolean closed() {
        return (int) INT.getAcquire(memory, Layout.AT_CLOSED) != 0;
    }

    /** For the owner, before it looks for the last time and sleeps: what the bell is at. */
    int lieDown() {
        int value = (int) INT.getVolatile(memory, Layout.AT_BELL);
        INT.setVolatile(memory, Layout.AT_ASLEEP, 1);
        VarHandle.fullFence();
        return value;
    }

    void sleep(int value, long nanos, MemorySegment time) {
        linux.sleepWhile(bell, value, nanos, time);
    }

    /** For the owner, at the start: the first calls of a native function link it, which allocates, and is not to happen in a step. */
    void practise(MemorySegment time) {
        int other = (int) INT.getVolatile(memory, Layout.AT_BELL) + 1;
        for (int i = 0; i < 2; i++) {
            linux.sleepWhile(bell, other, 1, time);
            linux.wake(bell);
        }
    }

    void getUp() {
        INT.setRelease(memory, Layout.AT_ASLEEP, 0);
    }

    /** For everyone who has changed something that the owner may wait for, after a full fence. */
    void ring() {
        if ((int) INT.getOpaque(memory, Layout.AT_ASLEEP) != 0) {
            INT.getAndAdd(memory, Layout.AT_BELL, 1);
            linux.wake(bell);
        }
    }
}
