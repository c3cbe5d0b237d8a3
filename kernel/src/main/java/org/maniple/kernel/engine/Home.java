package org.maniple.kernel.engine;

import java.util.ArrayList;
import java.util.List;

/**
 * What one group of ranks computes: its sequences and its KV blocks. A sequence takes blocks as it grows. One that finds none free takes
 * those of the last sequence in the order, which waits again and is computed anew; the last sequence itself keeps what it has and stands
 * still until a block is free.
 *
 * <p>So no sequences wait for each other: the first in the order only ever waits for batches in flight, which come back whatever else
 * happens. Every block that it does not hold is free, or a later one's that it may take, or an ended one's that is about to be given back;
 * and a request that needs more blocks than there are is refused before it gets here. Once the first has ended the next one is the first.
 * One that has been preempted is put into the queue by the same order, and nothing later than it is admitted here before it is.
 *
 * <p>Used by the engine's thread alone; the list of running sequences changes under the engine's lock only.
 */
final class Home {

    private final int number;
    private final SequenceOrder order;
    private final int seats;
    private final int blockSize;
    private final BlockPool pool;
    private final PrefixCache cache;
    private final List<Sequence> running = new ArrayList<>();
    private long admitted;
    private long preemptions;
    private int notedFree;
    private long notedPreemptions;
    private long notedQueries;
    private long notedHits;

    /**
     * @param number its place in the order of homes
     * @param seats sequences that it may have at most
     * @param blocks KV blocks that each of its ranks has
     * @param blockSize positions of a block
     * @param sharing whether sequences that begin alike share blocks
     * @param order of its sequences
     */
    Home(int number, int seats, int blocks, int blockSize, boolean sharing, SequenceOrder order) {
        this.order = order;
        this.number = number;
        this.seats = seats;
        this.blockSize = blockSize;
        pool = new BlockPool(blocks);
        cache = new PrefixCache(sharing, pool, blockSize);
        note();
    }

    /** Keeps the figures of now for those who ask while steps are planned. */
    void note() {
        notedFree = pool.free();
        notedPreemptions = preemptions;
        notedQueries = cache.queries();
        notedHits = cache.hits();
    }

    int totalBlocks() {
        return pool.total();
    }

    /** KV blocks that no sequence held when it was noted. */
    int freeBlocks() {
        return notedFree;
    }

    /** How often a sequence had lost its blocks to an earlier one when it was noted. */
    long preemptions() {
        return notedPreemptions;
    }

    int number() {
        return number;
    }

    /** Tokens of prompts that had been looked for in the prefix cache when it was noted. */
    long cacheQueries() {
        return notedQueries;
    }

    /** Those of them that had been found. */
    long cacheHits() {
        return notedHits;
    }

    PrefixCache cache() {
        return cache;
    }

    /** The admitted sequences, in their order. */
    List<Sequence> running() {
        return running;
    }

    /** Sequences that have begun here so far, anew after a preemption too. */
    long admitted() {
        return admitted;
    }

    /**
     * Whether a sequence may begin: there are blocks for all that it must compute before it goes on, beside those that others still need for
     * that, and one more for each of the others, so that it is not preempted at once.
     */
    boolean hasRoom(Sequence sequence) {
        return running.size() < seats
                && blocksToBegin(sequence) - cache.heldByOthers(sequence) <= pool.free() - promised();
    }

    private int blocksToBegin(Sequence sequence) {
        return Math.ceilDiv(Math.min(sequence.length() + 1, sequence.maxLength), blockSize);
    }

    private int promised() {
        int blocks = 0;
        for (int i = 0; i < running.size(); i++) {
            Sequence sequence = running.get(i);
            if (!sequence.output.ended()) {
                blocks += Math.max(0, blocksToBegin(sequence) - sequence.heldBlocks()) + 1;
            }
        }
        return blocks;
    }

    /**
     * Whether an earlier sequence is about to compute what a sequence would have to compute next, a good deal of it: it is better to follow it
     * than to do it twice. The first sequence in the order follows none.
     */
    boolean followsAnother(Sequence sequence) {
        for (int i = 0; running.get(i) != sequence; i++) {
            Sequence other = running.get(i);
            if (!other.decoding() && !other.preempted() && !other.output.ended() && cache.goTogether(sequence, other)) {
                return true;
            }
        }
        return false;
    }

    void admit(Sequence sequence) {
        sequence.settle(number, Math.ceilDiv(sequence.maxLength, blockSize));
        int place = running.size();
        while (place > 0 && order.isBefore(sequence, running.get(place - 1))) {
            place--;
        }
        running.add(place, sequence);
        admitted++;
        if (sequence.isFirstTry()) {
            cache.asked(sequence);
        }
        cache.follow(sequence);
    }

    /**
     * Gives a sequence the blocks that it lacks, or as many of them as there are.
     *
     * @param positions how many positions it should have room for
     * @return how many it has room for
     */
    int provide(Sequence sequence, int positions) {
        int wanted = Math.ceilDiv(positions, blockSize);
        while (sequence.heldBlocks() < wanted && (pool.free() > 0 || reclaim(sequence))) {
            sequence.hold(pool.take());
        }
        return sequence.heldBlocks() * blockSize;
    }

    /**
     * Gives a sequence blocks for what is only guessed, as long as all others can go on without losing any for it.
     *
     * @param positions how many positions it would like to have room for
     * @return how many it has room for
     */
    int lend(Sequence sequence, int positions) {
        int wanted = Math.ceilDiv(positions, blockSize);
        while (sequence.heldBlocks() < wanted && pool.free() > running.size()) {
            sequence.hold(pool.take());
        }
        return sequence.heldBlocks() * blockSize;
    }

    /** Takes back what was for guesses that have not come true. */
    void trim(Sequence sequence) {
        while (sequence.heldBlocks() > Math.ceilDiv(sequence.length(), blockSize)) {
            pool.giveBack(sequence.drop());
        }
    }

    /**
     * Takes the blocks of the last sequence that has any, if it comes after another. Those of a sequence in flight are in use until its
     * batch is back: then there are none now, and no other sequence loses its own meanwhile.
     *
     * @return whether there is a free block now
     */
    private boolean reclaim(Sequence needy) {
        for (int i = running.size() - 1; running.get(i) != needy; i--) {
            Sequence last = running.get(i);
            if (last.heldBlocks() > 0) {
                if (!last.preempted() && !last.output.ended()) {
                    last.preempt();
                    preemptions++;
                }
                if (last.inFlight()) {
                    return false;
                }
                vacate(last);
                return true;
            }
        }
        return false;
    }

    /** Takes the blocks of a sequence that is in no batch in flight. */
    void vacate(Sequence sequence) {
        // From the last to the first, so that its first blocks, which other sequences may begin with too, are the last ones to go.
        for (int i = sequence.heldBlocks() - 1; i >= 0; i--) {
            pool.giveBack(sequence.blocks()[i]);
        }
        sequence.letGo();
    }
}
