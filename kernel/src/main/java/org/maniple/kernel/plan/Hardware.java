package org.maniple.kernel.plan;

/**
 * What the estimate of a step's time assumes. It serves to compare layouts, not to promise anything: the order hardly depends on
 * the exact numbers, only on their proportions.
 *
 * @param memoryBytesPerMicro how fast a rank reads its memory
 * @param nodeBytesPerMicro how fast it sends to ranks of its node
 * @param linkBytesPerMicro how fast it sends to ranks of other nodes
 * @param nodeMicros how long an exchange within a node takes at least
 * @param linkMicros how long one between nodes takes at least
 */
record Hardware(double memoryBytesPerMicro, double nodeBytesPerMicro, double linkBytesPerMicro, double nodeMicros,
        double linkMicros) {

    /** Devices of a data centre: 2 TB/s of memory, 200 GB/s and 20 µs within a node, 25 GB/s and 60 µs between nodes. */
    static final Hardware DATA_CENTRE = new Hardware(2e6, 2e5, 2.5e4, 20, 60);

    @Override
    public String toString() {
        return String.format(java.util.Locale.ROOT,
                "memory %.0f GB/s, within a node %.0f GB/s and %.0f µs an exchange, between nodes %.0f GB/s and %.0f µs",
                memoryBytesPerMicro / 1e3, nodeBytesPerMicro / 1e3, nodeMicros, linkBytesPerMicro / 1e3, linkMicros);
    }
}
