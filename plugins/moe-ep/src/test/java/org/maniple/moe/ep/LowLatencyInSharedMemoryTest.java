package org.maniple.moe.ep;

class LowLatencyInSharedMemoryTest extends SharedMemoryExchangeContract {

    LowLatencyInSharedMemoryTest() {
        super("low_latency");
    }
}
