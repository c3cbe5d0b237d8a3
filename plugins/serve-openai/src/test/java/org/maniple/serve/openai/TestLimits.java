package org.maniple.serve.openai;

import java.time.Duration;
import java.util.function.UnaryOperator;

/** Limits that differ from the usual ones where a test needs it. */
record TestLimits(long allBodyBytes, long headerMillis, long bodyIdleMillis, long idleMillis, long keepAliveMillis) {

    static HttpLimits with(UnaryOperator<TestLimits> change) {
        HttpLimits usual = TestServer.LIMITS;
        TestLimits own = change.apply(new TestLimits(usual.allBodyBytes(), usual.header().toMillis(), usual.bodyIdle().toMillis(),
                usual.idle().toMillis(), usual.keepAlive().toMillis()));
        return new HttpLimits(usual.lineBytes(), usual.headerBytes(), usual.headers(), usual.bodyBytes(), own.allBodyBytes, usual.connections(),
                usual.silentPerAddress(), usual.pipelined(), usual.streamBytes(), usual.streamEvents(), Duration.ofMillis(own.headerMillis),
                Duration.ofMillis(own.bodyIdleMillis), usual.body(), usual.writeStall(), Duration.ofMillis(own.idleMillis),
                Duration.ofMillis(own.keepAliveMillis), usual.linger());
    }

    TestLimits allBodyBytes(long bytes) {
        return new TestLimits(bytes, headerMillis, bodyIdleMillis, idleMillis, keepAliveMillis);
    }

    TestLimits header(long millis) {
        return new TestLimits(allBodyBytes, millis, bodyIdleMillis, idleMillis, keepAliveMillis);
    }

    TestLimits bodyIdle(long millis) {
        return new TestLimits(allBodyBytes, headerMillis, millis, idleMillis, keepAliveMillis);
    }

    TestLimits idle(long millis) {
        return new TestLimits(allBodyBytes, headerMillis, bodyIdleMillis, millis, keepAliveMillis);
    }

    TestLimits keepAlive(long millis) {
        return new TestLimits(allBodyBytes, headerMillis, bodyIdleMillis, idleMillis, millis);
    }
}
