package org.maniple.moe.ep;

import java.util.List;
import java.util.stream.IntStream;
import org.maniple.api.collective.AllToAll;

/**
 * The ranks of a group by host. What goes from a rank to another host is handed on there by one of its ranks: that which stands in it where the sender does in
 * its own, counted anew where there are fewer.
 */
final class Hosts {

    /** By host, the positions of its ranks, ascending. */
    private final List<int[]> members;
    /** By position. */
    private final int[] host;
    private final int[] place;

    Hosts(AllToAll.Setting setting) {
        List<Integer> ranks = setting.group().ranks();
        int[] island = ranks.stream().mapToInt(setting.communicator()::island).toArray();
        this.members = IntStream.of(island).distinct()
                .mapToObj(one -> IntStream.range(0, island.length).filter(i -> island[i] == one).toArray()).toList();
        this.host = new int[island.length];
        this.place = new int[island.length];
        for (int h = 0; h < members.size(); h++) {
            int[] here = members.get(h);
            for (int i = 0; i < here.length; i++) {
                host[here[i]] = h;
                place[here[i]] = i;
            }
        }
    }

    int count() {
        return members.size();
    }

    int of(int position) {
        return host[position];
    }

    /** The positions of a host's ranks; not to be changed. */
    int[] members(int ofHost) {
        return members.get(ofHost);
    }

    /** Who hands on what a rank sends to a host: on its own it does so itself. */
    int relay(int from, int toHost) {
        int[] there = members.get(toHost);
        return host[from] == toHost ? from : there[place[from] % there.length];
    }
}
