package org.maniple.transport.tcp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.netty.channel.epoll.Epoll;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.maniple.api.transport.ControlTransport;
import org.maniple.api.transport.Endpoint;
import org.maniple.api.transport.Transport;
import org.maniple.testkit.GivenContext;
import org.maniple.testkit.VirtualRanks;

/** What a rank says about its data links when they are connected. */
@Timeout(60)
class DataLinkReportTest {

    private static List<String> announcedByRankZero(ControlTransport transport, int ranks) throws InterruptedException {
        List<GivenContext> contexts = IntStream.range(0, ranks).mapToObj(rank -> GivenContext.empty()).toList();
        List<Endpoint> endpoints = IntStream.range(0, ranks)
                .mapToObj(rank -> transport.open(VirtualRanks.identity(rank, ranks), new Transport.Bind("localhost", 0),
                        contexts.get(rank)))
                .toList();
        try (var all = new Closing(endpoints)) {
            var threads = new ArrayList<Thread>();
            for (int rank = 0; rank < ranks; rank++) {
                int own = rank;
                threads.add(Thread.ofVirtual().start(() -> all.connect(own)));
            }
            for (Thread thread : threads) {
                thread.join();
            }
        }
        return contexts.getFirst().announced();
    }

    private record Closing(List<Endpoint> endpoints) implements AutoCloseable {

        private void connect(int rank) {
            var others = IntStream.range(0, endpoints.size()).filter(other -> other != rank).boxed()
                    .collect(java.util.stream.Collectors.toSet());
            endpoints.get(rank).connect(endpoints.stream().map(Endpoint::address).toList(), others, VirtualRanks.PATIENCE)
                    .close();
        }

        @Override
        public void close() {
            endpoints.forEach(Endpoint::close);
        }
    }

    @Test
    void linksThatAreAlikeShareALine() throws InterruptedException {
        List<String> lines = announcedByRankZero(new TcpTransport(), 3);
        assertThat(lines).hasSize(2);
        assertThat(lines.getFirst()).startsWith("rank 0 → 1, 2 via tcp over lo: auth, TCP_NODELAY, ").contains("buffers from ");
        assertThat(lines.getLast()).startsWith("waiting ranks ").contains("3 ranks with 1 thread each on ");
    }

    @Test
    void linksWithinAHostDoNotPaceWhatTheySend() throws InterruptedException {
        assumeTrue(Epoll.isAvailable(), "only Linux lets a connection choose its congestion control");
        assumeTrue(Runtime.getRuntime().availableProcessors() >= 2, "two ranks on one processor leave it to the system");
        assertThat(announcedByRankZero(new TcpTransport(), 2).getFirst()).contains("congestion control reno")
                .doesNotContain("BUSY_POLL");
    }

    @Test
    void whatProtectsALinkIsReported() throws InterruptedException {
        assertThat(announcedByRankZero(new TcpTransport(false, LinkSecurity.INTEGRITY), 2).getFirst())
                .startsWith("rank 0 → 1 via tcp over lo: integrity, TCP_NODELAY");
        assertThat(announcedByRankZero(new TcpTransport(false, LinkSecurity.ENCRYPT), 2).getFirst())
                .startsWith("rank 0 → 1 via tcp over lo: encrypt, TLS 1.3 with TLS_AES_128_GCM_SHA256, TCP_NODELAY");
    }

    @Test
    void theSocketsOfTheJdkAreReportedToo() throws InterruptedException {
        assertThat(announcedByRankZero(new TcpTransport(true, LinkSecurity.AUTH), 2).getFirst())
                .startsWith("rank 0 → 1 via tcp over lo: auth, TCP_NODELAY, buffers from ");
    }
}
