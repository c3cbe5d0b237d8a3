package org.maniple.moe.ep;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.maniple.api.collective.AllToAll;

/**
 * A token goes once to each other host, whatever number of ranks it visits there; the rank that gets it hands it on within the host. So there are two hops:
 * between hosts {@link HostMessage}s, then within each host, for each rank that messages come from, their sizes and after these the messages.
 */
final class HostDelivery implements Delivery {

    private final int own;
    private final int choices;
    private final int rowBytes;
    private final int lowLatencyTokens;
    private final AllToAll.Setting setting;
    private final Hosts hosts;
    private final int[] local;
    /** By position of a rank on this host: whose messages it hands on, its own among them. */
    private final int[][] sources;
    private final Hop between;
    private final Hop within;
    private final HostMessage merging;
    private final Room leaving;
    private final Room coming;
    private final long[] leavingBytes;
    private final long[] comingBytes;
    private final Room handingOn;
    private final Room handedOn;
    private final long[] handingBytes;
    private final long[] handedBytes;
    private final long[] mostBetween;
    private final long[] mostWithin;
    /** By source and target. */
    private final long[][] sizes;
    private final TokenMessage.Writer[] writers;

    /**
     * Begins.
     *
     * @param setting what is exchanged
     * @param rowBytes of a row on its way
     * @param lowLatencyTokens the most tokens of any rank for which messages are sent at once; -1: never
     */
    HostDelivery(AllToAll.Setting setting, int rowBytes, int lowLatencyTokens) {
        this.setting = setting;
        this.own = setting.group().position();
        this.choices = setting.choices();
        this.rowBytes = rowBytes;
        this.lowLatencyTokens = lowLatencyTokens;
        this.hosts = new Hosts(setting);
        int ranks = setting.group().size();
        int here = hosts.of(own);
        this.local = hosts.members(here);
        this.sources = new int[ranks][0];
        boolean[] to = new boolean[ranks];
        boolean[] from = new boolean[ranks];
        boolean[] mates = new boolean[ranks];
        for (int i = 0; i < ranks; i++) {
            int one = i;
            mates[i] = hosts.of(i) == here && i != own;
            from[i] = hosts.of(i) != here && hosts.relay(i, here) == own;
            if (hosts.of(i) == here) {
                sources[i] = IntStream.range(0, ranks).filter(source -> hosts.relay(source, here) == one).toArray();
            }
        }
        for (int host = 0; host < hosts.count(); host++) {
            to[hosts.relay(own, host)] |= host != here;
        }
        this.between = new Hop(setting.communicator(), setting.group(), to, from, setting.memory());
        this.within = new Hop(setting.communicator(), setting.group(), mates, mates, setting.memory());
        this.merging = new HostMessage(ranks, rowBytes);
        this.leaving = new Room(ranks, setting.memory());
        this.coming = new Room(ranks, setting.memory());
        this.leavingBytes = new long[ranks];
        this.comingBytes = new long[ranks];
        this.handingOn = new Room(ranks, setting.memory());
        this.handedOn = new Room(ranks, setting.memory());
        this.handingBytes = new long[ranks];
        this.handedBytes = new long[ranks];
        this.mostBetween = new long[ranks];
        this.mostWithin = new long[ranks];
        this.sizes = new long[ranks][ranks];
        this.writers = new TokenMessage.Writer[ranks];
        for (int i = 0; i < ranks; i++) {
            writers[i] = new TokenMessage.Writer(rowBytes);
        }
    }

    @Override
    public long begin(Room sends, long[] sendBytes, Room receives, long[] receiveBytes, int largest) {
        boolean atOnce = largest <= lowLatencyTokens;
        Arrays.fill(receiveBytes, 0);
        merge(sends, sendBytes);
        Arrays.fill(mostBetween, HostMessage.most(largest * choices, largest, rowBytes));
        long sent = atOnce
                ? between.atOnce(leaving, leavingBytes, coming, comingBytes, mostBetween)
                : between.sizesFirst(leaving, leavingBytes, coming, comingBytes);
        handOn(sends, sendBytes, receives, receiveBytes);
        for (int mate : local) {
            mostWithin[mate] = sources[mate].length
                    * (Integer.BYTES + TokenMessage.bytes(largest * choices, largest, rowBytes));
        }
        sent += atOnce
                ? within.atOnce(handingOn, handingBytes, handedOn, handedBytes, mostWithin)
                : within.sizesFirst(handingOn, handingBytes, handedOn, handedBytes);
        unpack(receives, receiveBytes);
        return sent;
    }

    /** What is handed on must have come first, so that all is done at the beginning. */
    @Override
    public void end() {}

    private void merge(Room sends, long[] sendBytes) {
        Arrays.fill(leavingBytes, -1);
        for (int host = 0; host < hosts.count(); host++) {
            if (host != hosts.of(own)) {
                int relay = hosts.relay(own, host);
                leavingBytes[relay] = merging.merge(sends.memory, sendBytes, hosts.members(host), leaving, relay);
            }
        }
    }

    private void handOn(Room sends, long[] sendBytes, Room receives, long[] receiveBytes) {
        int[] from = sources[own];
        for (int source : from) {
            if (source != own) {
                merging.count(coming.memory[source], comingBytes[source], local, setting.group().ranks().get(source));
            }
            for (int target : local) {
                sizes[source][target] = source == own
                        ? Math.max(0, sendBytes[target])
                        : TokenMessage.bytes(merging.splitEntries[target], merging.splitTokens[target], rowBytes);
            }
        }
        Arrays.fill(handingBytes, -1);
        for (int target : local) {
            long all = (long) Integer.BYTES * from.length;
            for (int source : from) {
                all += sizes[source][target];
            }
            if (target != own) {
                handingBytes[target] = all;
                MemorySegment into = handingOn.atLeast(target, all);
                for (int i = 0; i < from.length; i++) {
                    into.set(JAVA_INT_UNALIGNED, (long) Integer.BYTES * i, Math.toIntExact(sizes[from[i]][target]));
                }
            }
        }
        write(sends, receives, receiveBytes);
    }

    private void write(Room sends, Room receives, long[] receiveBytes) {
        int[] from = sources[own];
        for (int i = 0; i < from.length; i++) {
            int source = from[i];
            if (source != own) {
                merging.count(coming.memory[source], comingBytes[source], local, setting.group().ranks().get(source));
            }
            for (int target : local) {
                long bytes = sizes[source][target];
                if (source == own && target != own) {
                    MemorySegment.copy(sends.memory[target], 0, handingOn.memory[target], start(from, i, target), bytes);
                } else if (source != own && target != own) {
                    writers[target].begin(handingOn.memory[target], start(from, i, target), merging.splitEntries[target],
                            merging.splitTokens[target], 0);
                } else if (source != own) {
                    receiveBytes[source] = bytes;
                    writers[target].begin(receives.atLeast(source, bytes), 0, merging.splitEntries[target],
                            merging.splitTokens[target], 0);
                }
            }
            if (source != own) {
                merging.split(coming.memory[source], comingBytes[source], writers);
            }
        }
    }

    /** Where in what is handed on to a rank the message of a source begins. */
    private long start(int[] from, int index, int target) {
        long start = (long) Integer.BYTES * from.length;
        for (int i = 0; i < index; i++) {
            start += sizes[from[i]][target];
        }
        return start;
    }

    private void unpack(Room receives, long[] receiveBytes) {
        for (int mate : local) {
            if (mate != own) {
                MemorySegment message = handedOn.memory[mate];
                long at = (long) Integer.BYTES * sources[mate].length;
                for (int i = 0; i < sources[mate].length; i++) {
                    int source = sources[mate][i];
                    int bytes = handedBytes[mate] < at ? -1 : message.get(JAVA_INT_UNALIGNED, (long) Integer.BYTES * i);
                    if (bytes < 0 || at + bytes > handedBytes[mate]) {
                        throw new IllegalStateException(
                                "rank " + setting.group().ranks().get(mate) + " hands on " + handedBytes[mate]
                                        + " bytes of tokens, which do not fit; do all ranks have the same configuration?");
                    }
                    receiveBytes[source] = bytes;
                    MemorySegment.copy(message, at, receives.atLeast(source, bytes), 0, bytes);
                    at += bytes;
                }
            }
        }
    }
}
