package org.maniple.kernel.local;

import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/** Hands frames from one thread to another, in order. */
final class FrameRing {

    private static final int SLOTS = 256;

    private final AtomicReferenceArray<@Nullable LocalPending> slots = new AtomicReferenceArray<>(SLOTS);
    private int head;
    private int tail;

    /** For the sender's thread: whether there was room. */
    boolean offer(LocalPending frame) {
        if (slots.get(tail) != null) {
            return false;
        }
        slots.set(tail, frame);
        tail = (tail + 1) % SLOTS;
        return true;
    }

    /** For the receiver's thread: the oldest frame. */
    @Nullable
    LocalPending peek() {
        return slots.get(head);
    }

    /** For the receiver's thread: takes the oldest frame away. */
    void remove() {
        slots.set(head, null);
        head = (head + 1) % SLOTS;
    }
}
