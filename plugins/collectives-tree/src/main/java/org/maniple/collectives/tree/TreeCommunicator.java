package org.maniple.collectives.tree;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.maniple.api.collective.Communicator;
import org.maniple.api.transport.Tag;
import org.maniple.api.transport.Window;
import org.maniple.api.transport.Wire;

/**
 * Every exchange goes directly between the two ranks; receives are begun before sends, so that large ones cannot block each other. Ranks that
 * share memory show each other what they have instead.
 */
final class TreeCommunicator implements Communicator {

    /** Up to this many bytes sent by each rank, one hop is faster than two with fewer bytes. */
    private static final long DIRECT_BYTES = 64 << 10;

    /** Of a sum over several hosts at a time; it must fit into a window. */
    private static final long PIECE = Window.SMALLEST;

    private static final int MAX_GROUP = 0xffff;

    private final Wire wire;
    private final Consumer<String> announcer;
    private final long limitNanos;
    private final Slices slices = new Slices();
    private final Buffers buffers;
    private final TreeSum sum = new TreeSum();
    private final SharedMemory shared;
    private @Nullable GroupState[] groups = new GroupState[16];
    /** Transfers so far, by rank. */
    private long[] sent = new long[0];
    private long[] received = new long[0];

    TreeCommunicator(Wire wire, long limitNanos, Consumer<String> announcer) {
        this.wire = wire;
        this.announcer = announcer;
        this.limitNanos = limitNanos;
        this.buffers = new Buffers(wire, slices);
        this.shared = new SharedMemory(wire, limitNanos, sum);
    }

    @Override
    public Group group(int id, List<Integer> ranks) {
        if (id < 1 || id > MAX_GROUP) {
            throw new IllegalArgumentException("the id of group " + ranks + " is " + id + "; it must be from 1 to " + MAX_GROUP);
        }
        for (int i = 1; i < ranks.size(); i++) {
            if (ranks.get(i - 1) >= ranks.get(i)) {
                throw new IllegalArgumentException("the ranks of group " + id + " must ascend: " + ranks);
            }
        }
        int position = ranks.indexOf(wire.rank());
        if (position < 0) {
            throw new IllegalArgumentException("rank " + wire.rank() + " is not in group " + id + " " + ranks);
        }
        if (id >= groups.length) {
            groups = Arrays.copyOf(groups, Math.max(id + 1, 2 * groups.length));
        }
        GroupState known = groups[id];
        if (known != null && !known.group.ranks().equals(ranks)) {
            throw new IllegalArgumentException(
                    "group " + id + " is " + known.group.ranks() + " already, it cannot be " + ranks + " too");
        }
        if (known == null) {
            known = state(new Group(id, ranks, position), wire);
            groups[id] = known;
        }
        return known.group;
    }

    private GroupState state(Group group, Wire wire) {
        var islands = new Islands(group, wire);
        if (islands.scattered()) {
            announcer.accept("group " + group.ranks()
                    + ": every rank sums what all others send, because sums within its hosts would"
                    + " change the bits; where the ranks of each host follow each other, as many on each, hosts sum first");
        }
        boolean shares = islands.mine.size() > 1 && !islands.scattered();
        return new GroupState(group, islands, shares ? wire.window(group.id(), islands.mine).orElse(null) : null);
    }

    private GroupState state(Group group) {
        GroupState state = group.id() > 0 && group.id() < groups.length ? groups[group.id()] : null;
        if (state == null || !state.group.equals(group)) {
            throw new IllegalArgumentException(
                    "group " + group.id() + " " + group.ranks() + " was not made by this communicator");
        }
        return state;
    }

    @Override
    public void allReduce(Group group, MemorySegment floats) {
        GroupState state = state(group);
        state.checkFloats("all_reduce", floats.byteSize());
        if (state.size == 1) {
            return;
        }
        Window window = state.window;
        if (state.islands.several()) {
            allReduceByIslands(state, window, floats);
        } else if (window != null) {
            shared.allReduce(state, window, state.next(Tag.Operation.ALL_REDUCE), floats);
        } else if (floats.byteSize() * (state.size - 1) <= DIRECT_BYTES) {
            allReduceDirectly(state, floats);
        } else {
            allReduceByParts(state, floats);
        }
    }

    /**
     * Sums within each host, then among the first ranks of the hosts, then spreads the sums within the hosts: each of these is a node of the one
     * tree.
     */
    private void allReduceByIslands(GroupState state, @Nullable Window window, MemorySegment floats) {
        long tag = state.next(Tag.Operation.ALL_REDUCE);
        for (long at = 0; at < floats.byteSize(); at += PIECE) {
            long part = Math.min(PIECE, floats.byteSize() - at);
            if (window != null) {
                shared.sumIsland(state, window, tag, floats, at, part);
            }
            if (state.island.position() == 0) {
                sumAmongIslands(state, tag, floats, at, part);
            }
            if (window != null) {
                shared.spread(state, window, tag, floats, at, part);
            }
        }
    }

    private void sumAmongIslands(GroupState state, long tag, MemorySegment floats, long at, long part) {
        MemorySegment mine = slices.of(floats, at, part);
        for (int first : state.islands.firsts) {
            state.addends[first] = first == state.position ? mine : receive(state, first, tag, buffers.of(first, part));
        }
        for (int first : state.islands.firsts) {
            if (first != state.position) {
                send(state, first, tag, mine);
            }
        }
        finish(state);
        sum.add(state.addends, 0, state.position, 0, 0, state.size, state.islands.ends, part, mine, 0);
    }

    private void allReduceDirectly(GroupState state, MemorySegment floats) {
        long tag = state.next(Tag.Operation.ALL_REDUCE);
        for (int i = 0; i < state.size; i++) {
            state.addends[i] = i == state.position ? floats : receive(state, i, tag, buffers.of(i, floats.byteSize()));
        }
        for (int i = next(state, state.position); i != state.position; i = next(state, i)) {
            send(state, i, tag, floats);
        }
        finish(state);
        sum.add(state.addends, state.size, floats.byteSize(), floats);
    }

    private void allReduceByParts(GroupState state, MemorySegment floats) {
        state.splitEvenly(floats.byteSize());
        long at = offset(state.evenBytes, state.position);
        MemorySegment mine = slices.of(floats, at, state.evenBytes[state.position]);
        // Tags of another kind than those of the direct exchange: ranks that choose differently must notice.
        scatter(state, state.next(Tag.Operation.REDUCE_SCATTER), floats, state.evenBytes, mine);
        gather(state, state.tag(Tag.Operation.ALL_GATHER), mine, state.evenBytes, floats);
    }

    @Override
    public void reduceScatter(Group group, MemorySegment floats, long[] partBytes, MemorySegment mine) {
        GroupState state = state(group);
        state.checkParts("reduce_scatter", partBytes, floats.byteSize(), "to be summed");
        state.checkSize("reduce_scatter", mine.byteSize(), partBytes[state.position], "memory for this rank's part");
        for (long part : partBytes) {
            state.checkFloats("reduce_scatter", part);
        }
        Window window = state.islands.one() ? state.window : null;
        long tag = state.next(Tag.Operation.REDUCE_SCATTER);
        if (window == null) {
            scatter(state, tag, floats, partBytes, mine);
        } else {
            shared.reduceScatter(state, window, tag, floats, partBytes, mine);
        }
    }

    private void scatter(GroupState state, long tag, MemorySegment floats, long[] partBytes, MemorySegment mine) {
        long own = partBytes[state.position];
        for (int i = 0; i < state.size; i++) {
            state.addends[i] = i == state.position
                    ? slices.of(floats, offset(partBytes, i), own)
                    : receive(state, i, tag, buffers.of(i, own));
        }
        for (int i = next(state, state.position); i != state.position; i = next(state, i)) {
            send(state, i, tag, slices.of(floats, offset(partBytes, i), partBytes[i]));
        }
        finish(state);
        sum.add(state.addends, state.size, own, mine);
    }

    @Override
    public void allGather(Group group, MemorySegment mine, long[] partBytes, MemorySegment all) {
        GroupState state = state(group);
        state.checkParts("all_gather", partBytes, all.byteSize(), "to be received");
        state.checkSize("all_gather", mine.byteSize(), partBytes[state.position], "this rank's part");
        Window window = state.islands.one() ? state.window : null;
        long tag = state.next(Tag.Operation.ALL_GATHER);
        if (window == null) {
            gather(state, tag, mine, partBytes, all);
        } else {
            shared.allGather(state, window, tag, mine, partBytes, all);
            copy(mine, 0, all, offset(partBytes, state.position), mine.byteSize());
        }
    }

    private void gather(GroupState state, long tag, MemorySegment mine, long[] partBytes, MemorySegment all) {
        long at = 0;
        for (int i = 0; i < state.size; i++) {
            if (i != state.position) {
                receive(state, i, tag, slices.of(all, at, partBytes[i]));
            }
            at += partBytes[i];
        }
        for (int i = next(state, state.position); i != state.position; i = next(state, i)) {
            send(state, i, tag, mine);
        }
        copy(mine, 0, all, offset(partBytes, state.position), mine.byteSize());
        finish(state);
    }

    @Override
    public void broadcast(Group group, int root, MemorySegment data) {
        GroupState state = state(group);
        if (root < 0 || root >= state.size) {
            throw new IllegalArgumentException("broadcast of " + state + ": there is no position " + root);
        }
        long tag = state.next(Tag.Operation.BROADCAST);
        if (root == state.position) {
            for (int i = next(state, root); i != root; i = next(state, i)) {
                send(state, i, tag, data);
            }
        } else {
            receive(state, root, tag, data);
        }
        finish(state);
    }

    @Override
    public void allToAll(Group group, MemorySegment from, long[] fromBytes, MemorySegment to, long[] toBytes) {
        GroupState state = state(group);
        state.checkParts("all_to_all", fromBytes, from.byteSize(), "to be sent");
        state.checkParts("all_to_all", toBytes, to.byteSize(), "to be received");
        int own = state.position;
        state.checkSize("all_to_all", toBytes[own], fromBytes[own], "the part that this rank receives from itself");
        long tag = state.next(Tag.Operation.ALL_TO_ALL);
        for (int i = 0; i < state.size; i++) {
            if (i != own) {
                receive(state, i, tag, slices.of(to, offset(toBytes, i), toBytes[i]));
            }
        }
        for (int i = next(state, own); i != own; i = next(state, i)) {
            send(state, i, tag, slices.of(from, offset(fromBytes, i), fromBytes[i]));
        }
        copy(from, offset(fromBytes, own), to, offset(toBytes, own), fromBytes[own]);
        finish(state);
    }

    @Override
    public void exchange(Group group, MemorySegment[] from, long[] fromBytes, MemorySegment[] to, long[] toBytes) {
        GroupState state = state(group);
        state.checkPositions("exchange", from.length);
        state.checkPositions("exchange", fromBytes.length);
        state.checkPositions("exchange", to.length);
        state.checkPositions("exchange", toBytes.length);
        int own = state.position;
        for (int i = 0; i < state.size; i++) {
            if (i != own && fromBytes[i] > from[i].byteSize()) {
                throw new IllegalArgumentException(
                        "exchange of " + state + ": the memory of the message for position " + i + " has "
                                + from[i].byteSize() + " bytes, the message " + fromBytes[i]);
            }
        }
        long tag = state.next(Tag.Operation.ALL_TO_ALL);
        for (int i = 0; i < state.size; i++) {
            if (i != own && toBytes[i] >= 0) {
                state.receives[i] = wire.receiveUpTo(state.ranks[i], tag, to[i]);
            }
        }
        for (int i = next(state, own); i != own; i = next(state, i)) {
            if (fromBytes[i] >= 0) {
                send(state, i, tag, slices.of(from[i], 0, fromBytes[i]));
            }
        }
        for (int i = 0; i < state.size; i++) {
            Wire.Pending begun = state.receives[i];
            if (begun != null) {
                wire.await(begun, limitNanos);
                toBytes[i] = begun.bytes();
                state.receives[i] = null;
            }
        }
        finish(state.sends);
    }

    @Override
    public void barrier(Group group) {
        GroupState state = state(group);
        long tag = state.next(Tag.Operation.BARRIER);
        Window window = state.islands.one() ? state.window : null;
        if (window != null) {
            shared.barrier(state, window, tag);
            return;
        }
        for (int i = next(state, state.position); i != state.position; i = next(state, i)) {
            receive(state, i, tag, MemorySegment.NULL);
            send(state, i, tag, MemorySegment.NULL);
        }
        finish(state);
    }

    private static int next(GroupState state, int position) {
        return position + 1 == state.size ? 0 : position + 1;
    }

    private static long offset(long[] partBytes, int position) {
        long offset = 0;
        for (int i = 0; i < position; i++) {
            offset += partBytes[i];
        }
        return offset;
    }

    private static void copy(MemorySegment from, long at, MemorySegment to, long into, long bytes) {
        if (from.address() + at != to.address() + into) {
            MemorySegment.copy(from, at, to, into, bytes);
        }
    }

    private MemorySegment receive(GroupState state, int position, long tag, MemorySegment into) {
        state.receives[position] = wire.receive(state.ranks[position], tag, into);
        return into;
    }

    private void send(GroupState state, int position, long tag, MemorySegment data) {
        state.sends[position] = wire.send(state.ranks[position], tag, data);
    }

    private void finish(GroupState state) {
        finish(state.receives);
        finish(state.sends);
    }

    private void finish(Wire.@Nullable Pending[] pending) {
        for (int i = 0; i < pending.length; i++) {
            Wire.Pending begun = pending[i];
            if (begun != null) {
                wire.await(begun, limitNanos);
                pending[i] = null;
            }
        }
    }

    @Override
    public Wire.Pending send(int peer, MemorySegment data) {
        if (peer >= sent.length) {
            sent = Arrays.copyOf(sent, peer + 1);
        }
        return wire.send(peer, Tag.of(Tag.Operation.TRANSFER, 0, sent[peer]++), data);
    }

    @Override
    public void receive(int peer, MemorySegment into) {
        if (peer >= received.length) {
            received = Arrays.copyOf(received, peer + 1);
        }
        wire.await(wire.receive(peer, Tag.of(Tag.Operation.TRANSFER, 0, received[peer]++), into), limitNanos);
    }

    @Override
    public Optional<Window> window(Group group) {
        GroupState state = state(group);
        return state.islands.one() ? Optional.ofNullable(state.window) : Optional.empty();
    }

    @Override
    public int island(int rank) {
        return wire.island(rank);
    }

    @Override
    public void await(Wire.Pending pending) {
        wire.await(pending, limitNanos);
    }

    @Override
    public void progress() {
        wire.progress();
    }

    @Override
    public boolean keepsTree() {
        return true;
    }
}
