package org.maniple.api.collective;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import org.maniple.api.transport.Window;
import org.maniple.api.transport.Wire;

/**
 * A rank's side of collective operations. For use by one thread, the rank's own; all ranks of a group call the same operations in the
 * same order. Calls return when this rank's memory may be used again. Exchanges that do not fit together are errors that name rank,
 * operation and sizes; so is a rank that stays silent.
 *
 * <p>Sums are formed along one balanced binary tree over the ranks of the group in order, {@code ((0+1)+(2+3))+…}, whatever the size and the
 * algorithm, so that all ranks get the same bits and a result does not depend on how much is summed at once.
 */
public interface Communicator {

    /**
     * Ranks that act together.
     *
     * @param id the same on all of them, different from that of other groups; from 1 to 65535
     * @param ranks ascending; this rank is among them
     * @return the group
     */
    Group group(int id, List<Integer> ranks);

    /**
     * Adds floats over all ranks of a group.
     *
     * @param group the group
     * @param floats F32, on entry this rank's, on return the sums; native memory
     */
    void allReduce(Group group, MemorySegment floats);

    /**
     * Adds floats over all ranks of a group; each rank keeps a part.
     *
     * @param group the group
     * @param floats F32, this rank's addends of all parts, one part after the other; undefined on return
     * @param partBytes the size of each rank's part, by position in the group
     * @param mine receives this rank's part of the sums
     */
    void reduceScatter(Group group, MemorySegment floats, long[] partBytes, MemorySegment mine);

    /**
     * Collects every rank's bytes.
     *
     * @param group the group
     * @param mine this rank's bytes
     * @param partBytes the number of each rank's bytes, by position in the group
     * @param all receives the bytes of all ranks, one part after the other
     */
    void allGather(Group group, MemorySegment mine, long[] partBytes, MemorySegment all);

    /**
     * Gives one rank's bytes to all.
     *
     * @param group the group
     * @param root the position in the group of the rank that has them
     * @param data its bytes on entry; everyone's on return
     */
    void broadcast(Group group, int root, MemorySegment data);

    /**
     * Every rank gives bytes to every rank.
     *
     * @param group the group
     * @param from this rank's bytes for each rank, one part after the other
     * @param fromBytes the size of the part for each rank, by position in the group
     * @param to receives the bytes from each rank, one part after the other
     * @param toBytes the size of the part from each rank, by position in the group
     */
    void allToAll(Group group, MemorySegment from, long[] fromBytes, MemorySegment to, long[] toBytes);

    /**
     * Every rank gives one message to every other rank, where the receiver may know no more than how long it is at most. Nothing goes to the
     * own position.
     *
     * @param group the group
     * @param from the memory of the message for each rank, by position in the group
     * @param fromBytes how many bytes of it are the message, 0 included; -1 if there is no message, which the receiver must know
     * @param to room for the message from each rank, by position in the group; a longer message is an error
     * @param toBytes on entry -1 where no message comes; on return how many bytes have come
     */
    void exchange(Group group, MemorySegment[] from, long[] fromBytes, MemorySegment[] to, long[] toBytes);

    /**
     * Waits for all ranks of a group.
     *
     * @param group the group
     */
    void barrier(Group group);

    /**
     * Begins to send to a rank; its {@link #receive} takes it. Used between stages, where the sender goes on meanwhile.
     *
     * @param peer a rank
     * @param data stays unchanged until the result is done
     * @return to be awaited with {@link #await}
     */
    Wire.Pending send(int peer, MemorySegment data);

    /**
     * Receives from a rank what it sends by {@link #send}.
     *
     * @param peer a rank
     * @param into receives exactly its size in bytes
     */
    void receive(int peer, MemorySegment into);

    /**
     * Begins what {@link #allReduce} does.
     *
     * @param group the group
     * @param floats as there; not to be touched until it has ended
     * @return to be {@linkplain Begun#end ended}
     */
    default Begun beginAllReduce(Group group, MemorySegment floats) {
        allReduce(group, floats);
        return Begun.OVER;
    }

    /**
     * Begins what {@link #reduceScatter} does.
     *
     * @param group the group
     * @param floats as there
     * @param partBytes as there
     * @param mine as there; nothing of all this is to be touched until it has ended
     * @return to be {@linkplain Begun#end ended}
     */
    default Begun beginReduceScatter(Group group, MemorySegment floats, long[] partBytes, MemorySegment mine) {
        reduceScatter(group, floats, partBytes, mine);
        return Begun.OVER;
    }

    /**
     * Begins what {@link #allGather} does.
     *
     * @param group the group
     * @param mine as there
     * @param partBytes as there
     * @param all as there; nothing of all this is to be touched until it has ended
     * @return to be {@linkplain Begun#end ended}
     */
    default Begun beginAllGather(Group group, MemorySegment mine, long[] partBytes, MemorySegment all) {
        allGather(group, mine, partBytes, all);
        return Begun.OVER;
    }

    /**
     * Begins what {@link #allToAll} does.
     *
     * @param group the group
     * @param from as there
     * @param fromBytes as there
     * @param to as there
     * @param toBytes as there; nothing of all this is to be touched until it has ended
     * @return to be {@linkplain Begun#end ended}
     */
    default Begun beginAllToAll(Group group, MemorySegment from, long[] fromBytes, MemorySegment to, long[] toBytes) {
        allToAll(group, from, fromBytes, to, toBytes);
        return Begun.OVER;
    }

    /**
     * Begins what {@link #exchange} does.
     *
     * @param group the group
     * @param from as there
     * @param fromBytes as there
     * @param to as there
     * @param toBytes as there, once it has ended; nothing of all this is to be touched until then
     * @return to be {@linkplain Begun#end ended}
     */
    default Begun beginExchange(Group group, MemorySegment[] from, long[] fromBytes, MemorySegment[] to, long[] toBytes) {
        exchange(group, from, fromBytes, to, toBytes);
        return Begun.OVER;
    }

    /**
     * Begins what {@link #receive} does.
     *
     * @param peer a rank
     * @param into as there; not to be touched until it has ended
     * @return to be {@linkplain Begun#end ended}
     */
    default Begun beginReceive(int peer, MemorySegment into) {
        receive(peer, into);
        return Begun.OVER;
    }

    /**
     * Memory in which all ranks of a group show each other what they have, if they share memory. Operations on the group use it too: what is shown
     * in it must have been read before the next one.
     *
     * @param group the group
     * @return the window, on all of its ranks or on none; what it says has {@linkplain Window#arrival arrived} is awaited by {@link #await}
     */
    default Optional<Window> window(Group group) {
        return Optional.empty();
    }

    /**
     * Which ranks share memory with each other.
     *
     * @param rank a rank of the unit
     * @return a rank of its island, the same for all of them; see {@link Wire#island}
     */
    default int island(int rank) {
        return rank;
    }

    /**
     * Waits for something that was sent, or for a rank that is to show something.
     *
     * @param pending the result of {@link #send}, or an arrival in a {@linkplain #window window}
     */
    void await(Wire.Pending pending);

    /**
     * Moves what has been {@linkplain #send sent} and is under way, without waiting. Called now and then by a rank that computes meanwhile: what does
     * not fit into the buffers of a transport would otherwise stay until the rank waits for something.
     */
    default void progress() {}

    /**
     * Whether sums are formed along the tree for every size, so that results may be compared bit by bit across layouts.
     *
     * @return whether they are
     */
    boolean keepsTree();

    /**
     * An operation that has been begun, so that this rank computes while data are on their way; {@link #progress} moves them meanwhile. Several may be
     * under way at once, and others may be carried out; all ranks of a group begin and end them in the same order, which need not be one order. Results
     * have the same bits as those of operations that are carried out at once. An implementation may do everything at the beginning.
     */
    @FunctionalInterface
    interface Begun {

        /** An operation that was over when it had begun. */
        Begun OVER = () -> {};

        /**
         * Waits until the operation is over, and forms its results. Called once.
         *
         * @throws org.maniple.api.transport.TransportException if a rank is gone, silent, or does something else
         */
        void end();
    }

    /**
     * Ranks that act together.
     *
     * @param id their number
     * @param ranks ascending
     * @param position where this rank stands among them
     */
    record Group(int id, List<Integer> ranks, int position) {
        /** Copies the list. */
        public Group {
            ranks = List.copyOf(ranks);
        }

        /**
         * How many they are.
         *
         * @return at least 1
         */
        public int size() {
            return ranks.size();
        }
    }
}
