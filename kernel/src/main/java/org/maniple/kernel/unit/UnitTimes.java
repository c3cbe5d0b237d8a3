package org.maniple.kernel.unit;

import java.time.Duration;

/**
 * How long things may take.
 *
 * @param joinLimit until all ranks are there
 * @param noticeEvery between two lines that say who is missing
 * @param heartbeat between two signs of life
 * @param lease silence after which a rank counts as lost; a closed link is noticed at once. Generous, because a busy machine is not a
 *     broken one; processes that are stopped and networks that are gone show in other ways
 * @param refusalGrace for further ranks to show up after one differs, so that one message can name all differences
 */
public record UnitTimes(Duration joinLimit, Duration noticeEvery, Duration heartbeat, Duration lease, Duration refusalGrace) {

    /**
     * What is used unless configured.
     *
     * @return 60 s to join, a line every 10 s, a heartbeat every 250 ms, a lease of 5 s
     */
    public static UnitTimes standard() {
        return new UnitTimes(
                Duration.ofSeconds(60), Duration.ofSeconds(10), Duration.ofMillis(250), Duration.ofSeconds(5),
                Duration.ofSeconds(1));
    }

    /** Checks that times can work together. */
    public UnitTimes {
        if (heartbeat.isZero() || heartbeat.isNegative() || lease.compareTo(heartbeat.multipliedBy(2)) < 0) {
            throw new IllegalArgumentException("a lease [" + lease.toMillis() + " ms] must be at least two heartbeats ["
                    + heartbeat.toMillis() + " ms each]; raise the lease or shorten the heartbeat");
        }
    }

    /**
     * The same with other limits.
     *
     * @param limit until all ranks are there
     * @return times
     */
    public UnitTimes withJoinLimit(Duration limit) {
        return new UnitTimes(limit, noticeEvery, heartbeat, lease, refusalGrace);
    }

    /**
     * The same with another lease.
     *
     * @param silence after which a rank counts as lost
     * @return times
     */
    public UnitTimes withLease(Duration silence) {
        return new UnitTimes(joinLimit, noticeEvery, heartbeat, silence, refusalGrace);
    }
}
