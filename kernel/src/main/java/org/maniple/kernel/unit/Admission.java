package org.maniple.kernel.unit;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Decides which ranks may be in the unit. Guarded by the lock of the leader. */
final class Admission {

    private static final String NOBODY = "every node is --headless; start one without it";

    private final Hello self;
    private final Roster roster;
    private final List<String> refusals = new ArrayList<>();
    private long firstRefusal;

    Admission(Hello self, Roster roster) {
        this.self = self;
        this.roster = roster;
    }

    /** Takes a rank into the roster, and notes what speaks against it. */
    void consider(Peer peer, Hello hello, long now) {
        int count = refusals.size();
        int proven = peer.link().peer();
        if (hello.rank() != proven) {
            refusals.add("rank: " + hello.who() + " proved to be rank " + proven + "; start it with one number");
        } else if (hello.rank() >= roster.ranks()) {
            refusals.add("rank: " + hello.who() + " does not exist in a unit of " + roster.ranks()
                    + " ranks; give every node the same parallel sizes and number of nodes");
        } else if (hello.rank() == 0) {
            refusals.add(claimedTwice(self, hello));
        } else {
            Hello holder = holder(hello.rank());
            if (holder != null && !holder.incarnation().equals(hello.incarnation())) {
                refusals.add(claimedTwice(holder, hello));
            } else {
                roster.put(hello.rank(), peer);
            }
            refusals.addAll(HelloComparison.differences(self, hello));
        }
        if (count == 0 && !refusals.isEmpty()) {
            firstRefusal = now;
        }
    }

    /** Whether all ranks are there and one serves, or some are refused and others had time to come. */
    boolean decided(long now, Duration grace) {
        return roster.missing().isEmpty() && roster.served() || nanosToDecision(now, grace) <= 0;
    }

    /** How long until a refusal is told even though ranks are missing; without a refusal for ever. */
    long nanosToDecision(long now, Duration grace) {
        return refusals.isEmpty() ? Long.MAX_VALUE : firstRefusal - now + grace.toNanos();
    }

    List<String> refusals() {
        return refusals;
    }

    /** Who is waited for. */
    String notice(Wait wait) {
        List<Integer> missing = roster.missing();
        if (missing.isEmpty()) {
            return "waiting for head " + self.address() + " (" + wait.elapsedText() + "): " + NOBODY;
        }
        return "still waiting for ranks " + missing + " (" + wait.progressText() + "): " + roster.expectedAt(missing)
                + "; if this is a StatefulSet, set podManagementPolicy: Parallel";
    }

    /** Who has not come at all. */
    String missing(Wait wait) {
        List<Integer> missing = roster.missing();
        if (missing.isEmpty()) {
            return "gave up after " + wait.limitText() + ": " + NOBODY;
        }
        return "gave up after " + wait.limitText() + ": ranks " + missing + " have not joined (" + roster.expectedAt(missing)
                + "); see what their nodes say, and check that they can reach " + self.address();
    }

    /** Why a rank cannot join a unit that is complete. */
    String lateness(Hello hello) {
        if (hello.epoch() != self.epoch()) {
            return HelloComparison.epochs(self, hello);
        }
        Hello holder = hello.rank() == 0 ? self : holder(hello.rank());
        return holder == null
                ? hello.who() + " came to a unit that does not take ranks any more"
                : claimedTwice(holder, hello) + "; the unit runs already, and goes on with the first";
    }

    private @Nullable Hello holder(int rank) {
        Peer peer = roster.peer(rank);
        return peer == null ? null : peer.hello();
    }

    private static String claimedTwice(Hello first, Hello second) {
        String message = "rank " + first.rank() + " is claimed twice: by " + claim(first) + " and by " + claim(second)
                + "; give every process a rank of its own";
        return first.host().equals(second.host())
                ? message
                : message
                        + ". Under SLURM, $SLURM_NODEID on the srun line is expanded by the batch shell, where it is 0: write --node-rank auto";
    }

    private static String claim(Hello hello) {
        return hello.host() + " (process " + hello.processId() + ", " + hello.address() + ")";
    }
}
