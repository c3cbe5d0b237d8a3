package org.maniple.serve.openai;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;
import org.maniple.api.engine.UnitStatus.RankStatus;
import org.maniple.api.engine.UnitStatus.StepTimes;

/**
 * How busy stages are: what their ranks have done since some seconds ago, however often somebody asks. Ranks report their times several times a
 * second, so that a shorter time would say little. Safe for use by several threads.
 */
final class StageWindow {

    private static final long SHORTEST_NANOS = 5_000_000_000L;

    /**
     * A stage of a group of ranks.
     *
     * @param busy part of the time in which its ranks computed or exchanged data, on average
     * @param slowest the rank that computed longest; empty if there is one rank only, or nobody did anything
     * @param imbalance how long that one computed, divided by the mean
     */
    record Stage(int stage, int group, double busy, OptionalInt slowest, double imbalance) {}

    private record Place(int stage, int group) implements Comparable<Place> {
        @Override
        public int compareTo(Place other) {
            return group == other.group ? Integer.compare(stage, other.stage) : Integer.compare(group, other.group);
        }
    }

    private record Look(long nanos, Map<Integer, StepTimes> times) {}

    private final ArrayDeque<Look> looks = new ArrayDeque<>();

    StageWindow(List<RankStatus> ranks, long now) {
        looks.add(taken(ranks, now));
    }

    private static Look taken(List<RankStatus> ranks, long now) {
        var times = new HashMap<Integer, StepTimes>();
        ranks.forEach(rank -> times.put(rank.rank(), rank.times()));
        return new Look(now, times);
    }

    static int stage(RankStatus rank) {
        return rank.coordinates().getOrDefault("pp", 0);
    }

    static int group(RankStatus rank) {
        return rank.coordinates().getOrDefault("dp", 0);
    }

    /** What has happened since the last look that is long enough ago, or since the first one. */
    synchronized List<Stage> look(List<RankStatus> ranks, long now) {
        Look first = looks.getFirst();
        while (looks.size() > 1 && now - second().nanos() >= SHORTEST_NANOS) {
            looks.removeFirst();
            first = looks.getFirst();
        }
        if (now - looks.getLast().nanos() >= SHORTEST_NANOS / 5) {
            looks.addLast(taken(ranks, now));
        }
        Map<Place, List<RankStatus>> stages = new TreeMap<>();
        ranks.forEach(rank -> stages.computeIfAbsent(new Place(stage(rank), group(rank)), place -> new ArrayList<>()).add(rank));
        List<Stage> result = new ArrayList<>();
        for (var stage : stages.entrySet()) {
            result.add(stage(stage.getKey(), stage.getValue(), first, Math.max(1, now - first.nanos())));
        }
        return result;
    }

    private Look second() {
        var each = looks.iterator();
        each.next();
        return each.next();
    }

    private static Stage stage(Place place, List<RankStatus> ranks, Look first, long nanos) {
        long busy = 0;
        long computed = 0;
        long most = 0;
        OptionalInt slowest = OptionalInt.empty();
        for (RankStatus rank : ranks) {
            StepTimes before = first.times().getOrDefault(rank.rank(), StepTimes.NONE);
            long own = rank.times().computeNanos() - before.computeNanos();
            busy += own + rank.times().communicationNanos() - before.communicationNanos();
            computed += own;
            if (own > most) {
                most = own;
                slowest = OptionalInt.of(rank.rank());
            }
        }
        double ratio = Math.clamp((double) busy / nanos / ranks.size(), 0, 1);
        return ranks.size() == 1 || slowest.isEmpty()
                ? new Stage(place.stage(), place.group(), ratio, OptionalInt.empty(), 1)
                : new Stage(place.stage(), place.group(), ratio, slowest, (double) most * ranks.size() / computed);
    }
}
