package org.maniple.kernel.engine;

import java.util.ArrayList;
import java.util.List;

/** What one group of ranks computes: its sequences in the order of admission, and its KV blocks. Used by the engine's thread alone. */
final class Home {

    private final int number;
    private final int seats;
    private final BlockPool pool;
    private final List<Sequence> running = new ArrayList<>();
    private long admitted;

    /**
     * @param number its place in the order of homes
     * @param seats sequences that it may have at most
     */
    Home(int number, int seats, int blocks) {
        this.number = number;
        this.seats = seats;
        pool = new BlockPool(blocks);
    }

    int number() {
        return number;
    }

    /** The admitted sequences in the order of their arrival. */
    List<Sequence> running() {
        return running;
    }

    BlockPool pool() {
        return pool;
    }

    /** Sequences that have begun here so far. */
    long admitted() {
        return admitted;
    }

    boolean hasRoom(int blocks) {
        return running.size() < seats && blocks <= pool.free();
    }

    void admit(Sequence sequence, int blocks) {
        sequence.settle(number, pool.take(blocks));
        running.add(sequence);
        admitted++;
    }

    /** Lets a sequence go that has ended and is in no batch in flight. */
    void release(Sequence sequence) {
        pool.giveBack(sequence.letGo());
    }
}
