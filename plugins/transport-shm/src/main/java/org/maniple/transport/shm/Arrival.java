package org.maniple.transport.shm;

/** The other end of a window having published in a round. One for each position, used again in each round. */
final class Arrival extends ShmPending {

    private final ShmWindow window;
    private final int position;
    private final ShmLink link;

    Arrival(ShmWindow window, int position, ShmLink link) {
        this.window = window;
        this.position = position;
        this.link = link;
    }

    @Override
    ShmLink link() {
        return link;
    }

    @Override
    public boolean done() {
        return window.arrived(position);
    }

    @Override
    public long bytes() {
        return expectedBytes();
    }

    @Override
    long expectedBytes() {
        return window.bytesOfRound();
    }

    @Override
    String what() {
        return window.toString();
    }

    @Override
    String missing() {
        return "has not come to " + window;
    }
}
