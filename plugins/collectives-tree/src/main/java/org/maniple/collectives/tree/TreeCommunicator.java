package org.maniple.collectives.tree;

import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
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
    private static final long[] NO_SIZES = {};

    private final Wire wire;
    private final Consumer<String> announcer;
    private final long limitNanos;
    private final Slices slices = new Slices();
    /** Those that no operation has: as many as there were operations under way at once. */
    private final Deque<Buffers> spare = new ArrayDeque<>();
    private final TreeSum sum = new TreeSum();
    private final SharedMemory shared;
    /** Those that are not awaited at present. */
    private final Deque<Arrival> arrivals = new ArrayDeque<>();
    private @Nullable GroupState[] groups = new GroupState[16];
    /** Transfers so far, by rank. */
    private long[] sent = new long[0];
    private long[] received = new long[0];

    TreeCommunicator(Wire wire, long limitNanos, Consumer<String> announcer) {
        this.wire = wire;
        this.announcer = announcer;
        this.limitNanos = limitNanos;
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

    /** An operation of a group, whose sends and receives are to be begun. */
    private Underway next(GroupState state) {
        Buffers buffers = spare.isEmpty() ? new Buffers(wire, slices) : spare.pop();
        Underway used = state.idle.poll();
        Underway next = used == null ? new Underway(state, buffers, this::end) : used;
        next.buffers = buffers;
        next.rest = Underway.Rest.NOTHING;
        return next;
    }

    private void end(Underway operation) {
        arrive(operation);
        switch (operation.rest) {
            case NOTHING -> {
            }
            case SUM -> sum(operation);
            case SUM_AND_GATHER -> {
                sum(operation);
                gather(operation, operation.gatherTag, operation.sum, operation.evenBytes, operation.whole);
                arrive(operation);
            }
            case SIZES -> operation.sizes = NO_SIZES;
        }
        spare.push(operation.buffers);
        operation.state.idle.add(operation);
    }

    private void sum(Underway operation) {
        sum.add(operation.addends, operation.state.size, operation.bytes, operation.sum);
    }

    @Override
    public void allReduce(Group group, MemorySegment floats) {
        allReduce(group, floats, 1).end();
    }

    @Override
    public Begun beginAllReduce(Group group, MemorySegment floats) {
        // Two ranks send as many bytes in one hop as in two, of which only the first could be hidden.
        return allReduce(group, floats, 2);
    }

    /** @param direct the most ranks that send everything to each other, however much it is */
    private Begun allReduce(Group group, MemorySegment floats, int direct) {
        GroupState state = state(group);
        state.checkFloats("all_reduce", floats.byteSize());
        if (state.size == 1) {
            return Begun.OVER;
        }
        Window window = state.window;
        if (state.islands.several()) {
            allReduceByIslands(state, window, floats);
            return Begun.OVER;
        }
        if (window != null) {
            shared.allReduce(state, window, state.next(Tag.Operation.ALL_REDUCE), floats);
            return Begun.OVER;
        }
        return state.size <= direct || floats.byteSize() * (state.size - 1) <= DIRECT_BYTES
                ? allReduceDirectly(state, floats)
                : allReduceByParts(state, floats);
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
        Underway operation = next(state);
        MemorySegment mine = slices.of(floats, at, part);
        MemorySegment[] addends = operation.addends;
        for (int first : state.islands.firsts) {
            addends[first] = first == state.position
                    ? mine
                    : receive(operation, first, tag, operation.buffers.of(first, part));
        }
        for (int first : state.islands.firsts) {
            if (first != state.position) {
                send(operation, first, tag, mine);
            }
        }
        operation.end();
        // The memory of the addends is used again by the next operation, not before.
        sum.add(addends, 0, state.position, 0, 0, state.size, state.islands.ends, part, mine, 0);
    }

    private Underway allReduceDirectly(GroupState state, MemorySegment floats) {
        Underway operation = next(state);
        long tag = state.next(Tag.Operation.ALL_REDUCE);
        for (int i = 0; i < state.size; i++) {
            operation.addends[i] = i == state.position
                    ? floats
                    : receive(operation, i, tag, operation.buffers.of(i, floats.byteSize()));
        }
        for (int i = next(state, state.position); i != state.position; i = next(state, i)) {
            send(operation, i, tag, floats);
        }
        operation.sumWhenThere(Underway.Rest.SUM, floats.byteSize(), floats);
        return operation;
    }

    private Underway allReduceByParts(GroupState state, MemorySegment floats) {
        Underway operation = next(state);
        operation.splitEvenly(floats.byteSize());
        long at = offset(operation.evenBytes, state.position);
        MemorySegment mine = slices.of(floats, at, operation.evenBytes[state.position]);
        // Tags of another kind than those of the direct exchange: ranks that choose differently must notice.
        scatter(operation, state.next(Tag.Operation.REDUCE_SCATTER), floats, operation.evenBytes, mine);
        operation.rest = Underway.Rest.SUM_AND_GATHER;
        operation.gatherTag = state.tag(Tag.Operation.ALL_GATHER);
        operation.whole = floats;
        return operation;
    }

    @Override
    public void reduceScatter(Group group, MemorySegment floats, long[] partBytes, MemorySegment mine) {
        beginReduceScatter(group, floats, partBytes, mine).end();
    }

    @Override
    public Begun beginReduceScatter(Group group, MemorySegment floats, long[] partBytes, MemorySegment mine) {
        GroupState state = state(group);
        state.checkParts("reduce_scatter", partBytes, floats.byteSize(), "to be summed");
        state.checkSize("reduce_scatter", mine.byteSize(), partBytes[state.position], "memory for this rank's part");
        for (long part : partBytes) {
            state.checkFloats("reduce_scatter", part);
        }
        Window window = state.islands.one() ? state.window : null;
        long tag = state.next(Tag.Operation.REDUCE_SCATTER);
        if (window != null) {
            shared.reduceScatter(state, window, tag, floats, partBytes, mine);
            return Begun.OVER;
        }
        Underway operation = next(state);
        scatter(operation, tag, floats, partBytes, mine);
        return operation;
    }

    private void scatter(Underway operation, long tag, MemorySegment floats, long[] partBytes, MemorySegment mine) {
        GroupState state = operation.state;
        long own = partBytes[state.position];
        for (int i = 0; i < state.size; i++) {
            operation.addends[i] = i == state.position
                    ? slices.of(floats, offset(partBytes, i), own)
                    : receive(operation, i, tag, operation.buffers.of(i, own));
        }
        for (int i = next(state, state.position); i != state.position; i = next(state, i)) {
            send(operation, i, tag, slices.of(floats, offset(partBytes, i), partBytes[i]));
        }
        operation.sumWhenThere(Underway.Rest.SUM, own, mine);
    }

    @Override
    public void allGather(Group group, MemorySegment mine, long[] partBytes, MemorySegment all) {
        beginAllGather(group, mine, partBytes, all).end();
    }

    @Override
    public Begun beginAllGather(Group group, MemorySegment mine, long[] partBytes, MemorySegment all) {
        GroupState state = state(group);
        state.checkParts("all_gather", partBytes, all.byteSize(), "to be received");
        state.checkSize("all_gather", mine.byteSize(), partBytes[state.position], "this rank's part");
        Window window = state.islands.one() ? state.window : null;
        long tag = state.next(Tag.Operation.ALL_GATHER);
        if (window != null) {
            shared.allGather(state, window, tag, mine, partBytes, all);
            copy(mine, 0, all, offset(partBytes, state.position), mine.byteSize());
            return Begun.OVER;
        }
        Underway operation = next(state);
        gather(operation, tag, mine, partBytes, all);
        return operation;
    }

    private void gather(Underway operation, long tag, MemorySegment mine, long[] partBytes, MemorySegment all) {
        GroupState state = operation.state;
        long at = 0;
        for (int i = 0; i < state.size; i++) {
            if (i != state.position) {
                receive(operation, i, tag, slices.of(all, at, partBytes[i]));
            }
            at += partBytes[i];
        }
        for (int i = next(state, state.position); i != state.position; i = next(state, i)) {
            send(operation, i, tag, mine);
        }
        copy(mine, 0, all, offset(partBytes, state.position), mine.byteSize());
    }

    @Override
    public void broadcast(Group group, int root, MemorySegment data) {
        GroupState state = state(group);
        if (root < 0 || root >= state.size) {
            throw new IllegalArgumentException("broadcast of " + state + ": there is no position " + root);
        }
        Underway operation = next(state);
        long tag = state.next(Tag.Operation.BROADCAST);
        if (root == state.position) {
            for (int i = next(state, root); i != root; i = next(state, i)) {
                send(operation, i, tag, data);
            }
        } else {
            receive(operation, root, tag, data);
        }
        operation.end();
    }

    @Override
    public void allToAll(Group group, MemorySegment from, long[] fromBytes, MemorySegment to, long[] toBytes) {
        beginAllToAll(group, from, fromBytes, to, toBytes).end();
    }

    @Override
    public Begun beginAllToAll(Group group, MemorySegment from, long[] fromBytes, MemorySegment to, long[] toBytes) {
        GroupState state = state(group);
        state.checkParts("all_to_all", fromBytes, from.byteSize(), "to be sent");
        state.checkParts("all_to_all", toBytes, to.byteSize(), "to be received");
        int own = state.position;
        state.checkSize("all_to_all", toBytes[own], fromBytes[own], "the part that this rank receives from itself");
        Underway operation = next(state);
        long tag = state.next(Tag.Operation.ALL_TO_ALL);
        for (int i = 0; i < state.size; i++) {
            if (i != own) {
                receive(operation, i, tag, slices.of(to, offset(toBytes, i), toBytes[i]));
            }
        }
        for (int i = next(state, own); i != own; i = next(state, i)) {
            send(operation, i, tag, slices.of(from, offset(fromBytes, i), fromBytes[i]));
        }
        copy(from, offset(fromBytes, own), to, offset(toBytes, own), fromBytes[own]);
        return operation;
    }

    @Override
    public void exchange(Group group, MemorySegment[] from, long[] fromBytes, MemorySegment[] to, long[] toBytes) {
        beginExchange(group, from, fromBytes, to, toBytes).end();
    }

    @Override
    public Begun beginExchange(Group group, MemorySegment[] from, long[] fromBytes, MemorySegment[] to, long[] toBytes) {
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
        Underway operation = next(state);
        operation.rest = Underway.Rest.SIZES;
        operation.sizes = toBytes;
        long tag = state.next(Tag.Operation.ALL_TO_ALL);
        for (int i = 0; i < state.size; i++) {
            if (i != own && toBytes[i] >= 0) {
                operation.receives[i] = wire.receiveUpTo(state.ranks[i], tag, to[i]);
            }
        }
        for (int i = next(state, own); i != own; i = next(state, i)) {
            if (fromBytes[i] >= 0) {
                send(operation, i, tag, slices.of(from[i], 0, fromBytes[i]));
            }
        }
        return operation;
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
        Underway operation = next(state);
        for (int i = next(state, state.position); i != state.position; i = next(state, i)) {
            receive(operation, i, tag, MemorySegment.NULL);
            send(operation, i, tag, MemorySegment.NULL);
        }
        operation.end();
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

    private MemorySegment receive(Underway operation, int position, long tag, MemorySegment into) {
        operation.receives[position] = wire.receive(operation.state.ranks[position], tag, into);
        return into;
    }

    private void send(Underway operation, int position, long tag, MemorySegment data) {
        operation.sends[position] = wire.send(operation.state.ranks[position], tag, data);
    }

    /** Waits until everything has come, and has gone. */
    private void arrive(Underway operation) {
        Wire.@Nullable Pending[] receives = operation.receives;
        for (int i = 0; i < receives.length; i++) {
            Wire.Pending begun = receives[i];
            if (begun != null) {
                wire.await(begun, limitNanos);
                if (operation.rest == Underway.Rest.SIZES) {
                    operation.sizes[i] = begun.bytes();
                }
                receives[i] = null;
            }
        }
        Wire.@Nullable Pending[] sends = operation.sends;
        for (int i = 0; i < sends.length; i++) {
            Wire.Pending begun = sends[i];
            if (begun != null) {
                wire.await(begun, limitNanos);
                sends[i] = null;
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
        wire.await(expect(peer, into), limitNanos);
    }

    @Override
    public Begun beginReceive(int peer, MemorySegment into) {
        Arrival arrival = arrivals.isEmpty() ? new Arrival() : arrivals.pop();
        arrival.awaited = expect(peer, into);
        return arrival;
    }

    private Wire.Pending expect(int peer, MemorySegment into) {
        if (peer >= received.length) {
            received = Arrays.copyOf(received, peer + 1);
        }
        return wire.receive(peer, Tag.of(Tag.Operation.TRANSFER, 0, received[peer]++), into);
    }

    /** What comes from a rank by {@link #send}. */
    private final class Arrival implements Begun {
        private Wire.@Nullable Pending awaited;

        @Override
        public void end() {
            wire.await(Objects.requireNonNull(awaited), limitNanos);
            awaited = null;
            arrivals.push(this);
        }
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
