package org.maniple.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.maniple.api.engine.ScheduledRequest;
import org.maniple.api.engine.SchedulingPolicy;

/** What every scheduling policy must keep to: its order is one. */
public abstract class SchedulingPolicyContract {

    /** For subclasses. */
    protected SchedulingPolicyContract() {}

    /**
     * The policy to test.
     *
     * @return a new one
     */
    protected abstract SchedulingPolicy policy();

    /**
     * Settings that it is asked with.
     *
     * @return values by key; by default none
     */
    protected Map<String, Object> settings() {
        return Map.of();
    }

    private Comparator<ScheduledRequest> order() {
        return policy().order(new GivenSettings(policy().options(), settings()));
    }

    private static List<ScheduledRequest> requests() {
        var random = new Random(1);
        var requests = new ArrayList<ScheduledRequest>();
        for (int i = 0; i < 40; i++) {
            int priority = random.nextInt(8) == 0
                    ? (random.nextBoolean() ? Integer.MIN_VALUE : Integer.MAX_VALUE)
                    : random.nextInt(-2, 3);
            requests.add(new ScheduledRequest(i, priority, 1 + random.nextInt(5)));
        }
        return requests;
    }

    /** A request is neither before nor after itself, and of two at most one is before the other. */
    @Test
    public void twoRequestsAreNotBeforeEachOther() {
        Comparator<ScheduledRequest> order = order();
        for (ScheduledRequest one : requests()) {
            assertEquals(0, order.compare(one, one));
            for (ScheduledRequest other : requests()) {
                assertEquals(Integer.signum(order.compare(one, other)), -Integer.signum(order.compare(other, one)));
            }
        }
    }

    /** What is before something is before all that comes after that, also if the two are equal. */
    @Test
    public void theOrderIsTransitive() {
        Comparator<ScheduledRequest> order = order();
        for (ScheduledRequest one : requests()) {
            for (ScheduledRequest middle : requests()) {
                for (ScheduledRequest other : requests()) {
                    int first = Integer.signum(order.compare(one, middle));
                    int second = Integer.signum(order.compare(middle, other));
                    if (first == second || first == 0) {
                        assertEquals(second, Integer.signum(order.compare(one, other)));
                    }
                }
            }
        }
    }

    /** Priorities make a difference if the policy says so, and none otherwise. */
    @Test
    public void prioritiesCountIfThePolicySaysSo() {
        Comparator<ScheduledRequest> order = order();
        assertEquals(policy().usesPriority(), order.compare(new ScheduledRequest(0, 1, 5), new ScheduledRequest(1, 2, 5)) != 0);
    }
}
