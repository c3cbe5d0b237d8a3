package org.maniple.moe.ep;

class HighThroughputInSharedMemoryTest extends SharedMemoryExchangeContract {

    HighThroughputInSharedMemoryTest() {
        super("high_throughput");
    }
}
