package org.maniple.api.transport;

import org.maniple.api.PluginContext;

/**
 * How a thread waits for a frame: it looks again and again, and after a while sleeps until it is woken. The same for all transports.
 *
 * <p>Sleeping costs more than waking up: where others want the processor, who has left it gets it back when their time slice is over, and the
 * rank that waits for the answer has lost as much. So a thread with a processor of its own looks for longer than a slice takes; one that shares a
 * processor with other ranks for as long as waking up takes, and only with breaks. But if others are entitled to as much of the processor
 * as the thread that looks, looking spends the time that computing would need, and a moment must do. That shows as time missing between two looks,
 * as it does when others merely lose less than they would: so while much is missing both ways are tried, and the one in which frames follow
 * each other sooner is kept. The other one is tried again, less and less often.
 *
 * <p>For use by one thread.
 */
public final class WaitStrategy {

    /** Most frames come within this time. Then other threads of the process may run in between, compilers above all, rather than while this one computes. */
    static final long SPIN_NANOS = 500_000;
    /** Longer than time slices are: a rank that has lost its processor answers when it has it back. */
    static final long LOOK_NANOS = 10_000_000;
    /** What frames take that are on their way already. */
    static final long GLANCE_NANOS = 30_000;
    /** Where ranks share processors: only with breaks, in which the one that is waited for may run, and about as long as waking up takes. */
    static final long POLITE_NANOS = 100_000;
    /** More time than a look takes: somebody else has had the processor. */
    static final long GAP_NANOS = 200_000;
    /** Copying and checking larger frames may take that long, too. */
    static final long LARGE_BYTES = 64 << 10;
    /** So much time is judged together: how often threads lose their processor changes for some time when they begin to look. */
    static final long WINDOW_NANOS = 300_000_000;
    /** From one wait to the next: whatever takes longer has nothing to do with waiting. */
    static final long LONGEST_CYCLE_NANOS = 20_000_000;
    /** Up to one part of so many may be missing: two threads that wait for each other each then have a third of their processors for nothing. */
    static final int PART_MISSED = 3;
    /** Until the other way is tried; doubled each time that it does not pay. */
    static final long SHORTEST_PAUSE_NANOS = 250_000_000;
    static final long LONGEST_PAUSE_NANOS = 8_000_000_000L;

    private static final String THREADS = "threads";

    private final int ranks;
    private final int threads;
    private final int processors;
    private long begun;
    private long looked;
    private boolean gapsCount;
    /** Since the last judgement. */
    private long waits;
    private long elapsed;
    private long missed;

    private boolean glances;
    private boolean onTrial;
    /** Nanoseconds from wait to wait in the way that was left last. */
    private long costBefore;
    private long pause = SHORTEST_PAUSE_NANOS;
    private long triesAgain;

    /**
     * What suits a host.
     *
     * @param ranks how many ranks share it
     * @param threads how many threads of each rank compute
     * @param processors how many processors they may use
     * @param now the time
     */
    WaitStrategy(int ranks, int threads, int processors, long now) {
        this.ranks = ranks;
        this.threads = threads;
        this.processors = processors;
        this.begun = now;
        this.triesAgain = now;
    }

    /**
     * What suits this host.
     *
     * @param ranks how many ranks share it
     * @param context says how many threads each of them computes with, and how many processors there are
     * @return a strategy for one thread
     */
    public static WaitStrategy of(int ranks, PluginContext context) {
        boolean known = context.settings().declared(THREADS) && context.settings().has(THREADS);
        return new WaitStrategy(ranks, known ? context.settings().integer(THREADS) : 1, context.host().processors(),
                System.nanoTime());
    }

    /**
     * Whether each thread of the ranks has a processor.
     *
     * @return whether it has
     */
    public boolean looks() {
        return (long) ranks * threads <= processors;
    }

    /**
     * A wait begins.
     *
     * @param now the time
     * @param bytes of the frame that is waited for
     */
    public void begin(long now, long bytes) {
        waits++;
        elapsed += Math.min(now - begun, LONGEST_CYCLE_NANOS);
        begun = now;
        looked = now;
        gapsCount = bytes <= LARGE_BYTES;
        if (elapsed >= WINDOW_NANOS) {
            judge(now);
        }
    }

    /**
     * The thread has slept until now.
     *
     * @param now the time
     */
    public void awake(long now) {
        looked = now;
    }

    /**
     * The thread has looked once more, whether there was something or not.
     *
     * @param now the time
     */
    public void look(long now) {
        long passed = now - looked;
        looked = now;
        if (gapsCount && passed > GAP_NANOS) {
            missed += passed;
        }
    }

    /**
     * After a look in vain: whether it is time to sleep. If not, others may have run in between.
     *
     * @param now the time
     * @param since since when nothing has moved
     * @return whether to sleep
     */
    @SuppressWarnings("ThreadPriorityCheck") // nothing depends on it but who gets the processor
    public boolean sleepNow(long now, long since) {
        if (now - since >= (glances ? GLANCE_NANOS : looks() ? LOOK_NANOS : POLITE_NANOS)) {
            return true;
        }
        if (looks() && now - since < SPIN_NANOS) {
            Thread.onSpinWait();
        } else {
            Thread.yield();
        }
        return false;
    }

    private void judge(long now) {
        long cost = elapsed / waits;
        boolean crowded = missed > elapsed / PART_MISSED;
        waits = 0;
        elapsed = 0;
        missed = 0;
        if (onTrial) {
            onTrial = false;
            boolean pays = cost < costBefore;
            pause = pays ? SHORTEST_PAUSE_NANOS : Math.min(2 * pause, LONGEST_PAUSE_NANOS);
            triesAgain = now + pause;
            if (!pays) {
                change(cost);
            }
        } else if (looks() && now - triesAgain >= 0 && (glances || crowded)) {
            onTrial = true;
            change(cost);
        }
    }

    private void change(long cost) {
        costBefore = cost;
        glances = !glances;
    }

    @Override
    public String toString() {
        String why = ranks + (ranks == 1 ? " rank" : " ranks") + " with " + threads + (threads == 1 ? " thread" : " threads")
                + " each on "
                + processors + (processors == 1 ? " processor" : " processors");
        return looks()
                ? "waiting ranks look for " + LOOK_NANOS / 1_000_000 + " ms before they sleep (" + why + ")"
                : "waiting ranks sleep after " + POLITE_NANOS / 1_000 + " µs (" + why + ")";
    }
}
