package org.maniple.serve.openai;

import java.time.Duration;
import java.util.function.UnaryOperator;

/** Limits that differ from the usual ones where a test needs it. */
record TestLimits(long allBodyBytes, int connections, long headerMillis, long bodyIdleMillis, long writeStallMillis,
        long idleMillis,
        long keepAliveMillis) {

    static HttpLimits with(UnaryOperator<TestLimits> change) {
        HttpLimits usual = TestServer.LIMITS;
        TestLimits own = change.apply(new TestLimits(usual.allBodyBytes(), usual.connections(), usual.header().toMillis(),
                usual.bodyIdle().toMillis(), usual.writeStall().toMillis(), usual.idle().toMillis(),
                usual.keepAlive().toMillis()));
        return new HttpLimits(usual.lineBytes(), usual.headerBytes(), usual.headers(), usual.bodyBytes(), own.allBodyBytes,
                own.connections, usual.silentPerAddress(), usual.pipelined(), usual.streamBytes(), usual.streamEvents(),
                Duration.ofMillis(own.headerMillis), Duration.ofMillis(own.bodyIdleMillis), usual.body(),
                Duration.ofMillis(own.writeStallMillis), Duration.ofMillis(own.idleMillis),
                Duration.ofMillis(own.keepAliveMillis),
                usual.linger(), usual.eventIds());
    }

    TestLimits allBodyBytes(long bytes) {
        return new TestLimits(bytes, connections, headerMillis, bodyIdleMillis, writeStallMillis, idleMillis, keepAliveMillis);
    }

    TestLimits connections(int most) {
        return new TestLimits(allBodyBytes, most, headerMillis, bodyIdleMillis, writeStallMillis, idleMillis, keepAliveMillis);
    }

    TestLimits header(long millis) {
        return new TestLimits(allBodyBytes, connections, millis, bodyIdleMillis, writeStallMillis, idleMillis, keepAliveMillis);
    }

    TestLimits bodyIdle(long millis) {
        return new TestLimits(allBodyBytes, connections, headerMillis, millis, writeStallMillis, idleMillis, keepAliveMillis);
    }

    TestLimits writeStall(long millis) {
        return new TestLimits(allBodyBytes, connections, headerMillis, bodyIdleMillis, millis, idleMillis, keepAliveMillis);
    }

    TestLimits idle(long millis) {
        return new TestLimits(allBodyBytes, connections, headerMillis, bodyIdleMillis, writeStallMillis, millis, keepAliveMillis);
    }

    TestLimits keepAlive(long millis) {
        return new TestLimits(allBodyBytes, connections, headerMillis, bodyIdleMillis, writeStallMillis, idleMillis, millis);
    }
}
