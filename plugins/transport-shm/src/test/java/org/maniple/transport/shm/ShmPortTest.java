package org.maniple.transport.shm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.maniple.api.Availability;
import org.maniple.api.transport.Port;
import org.maniple.api.transport.Transport;
import org.maniple.api.transport.TransportException;
import org.maniple.api.transport.Wire;
import org.maniple.testkit.GivenContext;
import org.maniple.testkit.VirtualRanks;

/** How ranks come to see each other's memory. */
@Timeout(120)
class ShmPortTest {

    private static final Transport.Bind NOWHERE = new Transport.Bind("localhost", 0);
    private static final Duration SHORT = Duration.ofMillis(200);

    private final ShmTransport transport = new ShmTransport();
    private final GivenContext context = GivenContext.empty();

    private Port open(Transport.Identity identity) {
        return transport.open(identity, NOWHERE, context);
    }

    private static Transport.Identity secret(int rank, String secret) {
        return new Transport.Identity("virtual", 4, rank, 2, secret.getBytes(StandardCharsets.US_ASCII));
    }

    @Test
    void nobodyCanOpenTheMemoryOnceAllHaveIt() throws Exception {
        try (Port zero = open(VirtualRanks.identity(0, 2)); Port one = open(VirtualRanks.identity(1, 2))) {
            Path memory = Locator.parse(zero.address()).path();
            assertThat(Files.readSymbolicLink(memory).toString()).contains("memfd:maniple-virtual-0");
            List<String> addresses = List.of(zero.address(), one.address());
            var other = CompletableFuture.supplyAsync(() -> one.connect(addresses, Set.of(0), VirtualRanks.PATIENCE));
            try (Wire ours = zero.connect(addresses, Set.of(1), VirtualRanks.PATIENCE);
                    Wire theirs = other.get(30, TimeUnit.SECONDS)) {
                assertThat(ours.path(1)).isEqualTo("shm");
                assertThat(theirs.island(1)).isZero();
                assertThat(names(Path.of("/proc/self/fd"))).noneMatch(name -> name.contains("memfd:maniple-virtual"));
            }
        }
    }

    private static List<String> names(Path folder) throws Exception {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> {
                try {
                    return Files.readSymbolicLink(file).toString();
                } catch (java.io.IOException e) {
                    return "closed meanwhile";
                }
            }).toList();
        }
    }

    @Test
    void itSaysHowMuchMemoryTheRanksShare() {
        try (Port zero = open(VirtualRanks.identity(0, 2)); Port one = open(VirtualRanks.identity(1, 2))) {
            List<String> addresses = List.of(zero.address(), one.address());
            var other = CompletableFuture.supplyAsync(() -> one.connect(addresses, Set.of(0), VirtualRanks.PATIENCE));
            zero.connect(addresses, Set.of(1), VirtualRanks.PATIENCE).close();
            other.join().close();
            assertThat(context.announced()).anyMatch(line -> line
                    .matches("shm: 2 ranks on this host share up to \\d+ MiB of memory without a file \\(memfd\\).*/dev/shm"));
        }
    }

    @Test
    void aRankWithAnotherSecretIsRefused() {
        try (Port zero = open(secret(0, "a secret of rank zero")); Port one = open(secret(1, "another secret of rank one"))) {
            List<String> addresses = List.of(zero.address(), one.address());
            assertThatThrownBy(() -> zero.connect(addresses, Set.of(1), SHORT)).isInstanceOf(TransportException.class)
                    .hasMessageContaining("rank 1").hasMessageContaining("secret");
        }
    }

    @Test
    void aRankOfAnotherUnitIsRefused() {
        var stranger = new Transport.Identity("real", 4, 1, 2, VirtualRanks.identity(1, 2).secret());
        try (Port zero = open(VirtualRanks.identity(0, 2)); Port one = open(stranger)) {
            assertThatThrownBy(() -> zero.connect(List.of(zero.address(), one.address()), Set.of(1), SHORT))
                    .isInstanceOf(TransportException.class).hasMessageContaining("another unit");
        }
    }

    @Test
    void connectingGivesUpNamingAllRanksThatAreMissing() {
        try (var ranks = VirtualRanks.open(transport, 4)) {
            List<String> addresses = ranks.addresses();
            assertThatThrownBy(() -> ranks.port(1).connect(addresses, Set.of(2, 3), SHORT)).isInstanceOf(TransportException.class)
                    .hasMessageContaining("rank 2 (" + addresses.get(2) + ")").hasMessageContaining("rank 3 (");
        }
    }

    @Test
    void aRankThatIsGoneIsNamed() {
        try (Port zero = open(VirtualRanks.identity(0, 2))) {
            Locator here = Locator.parse(zero.address());
            String gone = new Locator(here.boot(), here.processes(), here.network(), here.user(), 1 << 23, here.started(), 3)
                    .toString();
            assertThatThrownBy(() -> zero.connect(List.of(zero.address(), gone), Set.of(1), SHORT))
                    .isInstanceOf(TransportException.class)
                    .hasMessageContaining("rank 1").hasMessageContaining("cannot be opened");
        }
    }

    @Test
    void ranksThatCannotSeeEachOtherAreToldWhy() {
        try (Port zero = open(VirtualRanks.identity(0, 2))) {
            Locator here = Locator.parse(zero.address());
            var elsewhere = new Locator("another-boot", here.processes(), here.network(), here.user(), 5, 6, 7);
            var boxed = new Locator(here.boot(), "4026530000", here.network(), here.user(), 5, 6, 7);
            var apart = new Locator(here.boot(), here.processes(), "4026530000", here.user(), 5, 6, 7);
            var foreign = new Locator(here.boot(), here.processes(), here.network(), here.user() + 1, 5, 6, 7);

            assertThat(zero.reach(here.toString())).isInstanceOf(Availability.Available.class);
            assertThat(reason(zero, elsewhere)).contains("different hosts");
            assertThat(reason(zero, boxed)).contains("different containers", "shareProcessNamespace");
            assertThat(reason(zero, apart)).contains("networks of their own");
            assertThat(reason(zero, foreign)).contains("different users");
            assertThatThrownBy(() -> zero.connect(List.of(zero.address(), elsewhere.toString()), Set.of(1), SHORT))
                    .isInstanceOf(TransportException.class).hasMessageContaining("rank 0 and rank 1")
                    .hasMessageContaining("hosts");
        }
    }

    private static String reason(Port port, Locator other) {
        return ((Availability.Unavailable) port.reach(other.toString())).reason();
    }

    @Test
    void ranksOfOneHostAreOneIslandAlsoForThoseElsewhere() {
        var here = new Locator("a", "1", "2", 0, 1, 1, 1).toString();
        var there = new Locator("b", "1", "2", 0, 1, 1, 1).toString();
        assertThat(transport.islands(List.of(here, there, here, "", there, ""))).containsExactly(0, 1, 0, 3, 1, 5);
    }
}
