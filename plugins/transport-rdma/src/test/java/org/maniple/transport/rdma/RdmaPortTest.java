package org.maniple.transport.rdma;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.maniple.api.Availability;
import org.maniple.api.config.Option;
import org.maniple.api.config.OptionType;
import org.maniple.api.transport.Port;
import org.maniple.api.transport.Transport;
import org.maniple.api.transport.TransportException;
import org.maniple.api.transport.Wire;
import org.maniple.testkit.GivenContext;
import org.maniple.testkit.GivenSettings;
import org.maniple.testkit.VirtualRanks;

@Timeout(120)
class RdmaPortTest {

    private static final Transport.Bind ANYWHERE = new Transport.Bind("localhost", 0);
    private static final Duration SHORT = Duration.ofMillis(300);

    /** A rank whose configuration names a transport. */
    private static Port open(String transport, Map<String, Object> more) {
        var options = Stream.concat(RdmaSettings.OPTIONS.stream(),
                Stream.of(Option.of("transport", OptionType.TEXT, "").withDefault(transport),
                        Option.of("link-security", OptionType.TEXT, "").withDefault("auth")))
                .toList();
        var context = new GivenContext(new GivenSettings(options, more), GivenContext.empty().host(),
                new CopyOnWriteArrayList<>());
        return new RdmaTransport().open(VirtualRanks.identity(0, 2), ANYWHERE, context);
    }

    private static void assumeNoDevice() {
        assumeTrue(RdmaDevice.all(RdmaDevice.DIRECTORY).isEmpty(), "left out, since there is a device here");
    }

    @Test
    void whoAsksForRdmaWithoutADeviceIsToldWhatToDo() {
        assumeNoDevice();
        assertThatThrownBy(() -> open("rdma", Map.of())).isInstanceOf(TransportException.class).hasMessageContainingAll("rank 0",
                "no InfiniBand or RoCE device", "/sys/class/infiniband", "rdma-core", "rdma-transports: [tcp]");
    }

    @Test
    void whoAsksForRdmaWithoutTheLibraryIsToldWhatToInstall() {
        assertThatThrownBy(() -> open("rdma", Map.of("rdma-transports", List.of("tcp"), "rdma-library", "libucp-of-nowhere.so")))
                .isInstanceOf(TransportException.class).hasMessageContainingAll("libucp-of-nowhere.so", "libucx0");
    }

    @Test
    void whoAsksForRdmaAndEncryptionGetsNeitherLessNorSomethingElse() {
        for (String security : List.of("integrity", "encrypt")) {
            Map<String, Object> wanted = Map.of("rdma-transports", List.of("tcp"), "rdma-devices", List.of("lo"), "link-security",
                    security);
            assertThatThrownBy(() -> open("rdma", wanted)).isInstanceOf(TransportException.class).hasMessageContainingAll(
                    "rank 0 cannot use transport rdma", "link-security is " + security, "use transport tcp");
            try (Port port = open("auto", wanted)) {
                assertThat(port.reach("ucx:a:b:1:2:3:4")).isInstanceOf(Availability.Unavailable.class);
            }
        }
    }

    @Test
    void whereEachPairMayChooseARankWithoutADeviceIsNoChoiceAndSaysWhy() {
        assumeNoDevice();
        try (Port without = open("auto", Map.of());
                Port with = Backends.tcp().open(VirtualRanks.identity(1, 2), ANYWHERE, GivenContext.empty())) {
            assertThat(without.reach(with.address())).isInstanceOf(Availability.Unavailable.class);
            assertThat(with.reach(without.address())).isEqualTo(without.reach(with.address()));
        }
    }

    @Test
    void whatUcxDoesNotKnowIsAnErrorWithItsWords() {
        assertThatThrownBy(() -> Backends
                .on(new RdmaSettings(UcxLibrary.NAME, List.of("tcp"), List.of("eth77"), Optional.empty(), Optional.empty(),
                        Optional.empty(), Optional.empty(), Optional.empty()))
                .open(VirtualRanks.identity(0, 2), ANYWHERE, GivenContext.empty()))
                .isInstanceOf(TransportException.class).hasMessageContainingAll("[tcp]", "[eth77]", "maniple doctor rdma");
    }

    @Test
    void aRankWithAnotherSecretIsRefused() {
        var stranger = new Transport.Identity("virtual", 4, 1, 2,
                "a secret for other ranks..".getBytes(StandardCharsets.US_ASCII));
        assertThat(refusal(stranger)).hasMessageContainingAll("rank 1", "secret");
    }

    @Test
    void aRankOfAnEarlierEpochIsRefused() {
        var late = new Transport.Identity("virtual", 3, 1, 2, VirtualRanks.identity(1, 2).secret());
        assertThat(refusal(late)).hasMessageContainingAll("rank 1", "epoch");
    }

    private static Throwable refusal(Transport.Identity other) {
        RdmaTransport transport = Backends.tcp();
        Port rank0 = transport.open(VirtualRanks.identity(0, 2), ANYWHERE, GivenContext.empty());
        Port rank1 = transport.open(other, ANYWHERE, GivenContext.empty());
        List<String> addresses = List.of(rank0.address(), rank1.address());
        var theirs = CompletableFuture.supplyAsync(() -> rank1.connect(addresses, Set.of(0), VirtualRanks.PATIENCE));
        try (Wire wire = rank0.connect(addresses, Set.of(1), VirtualRanks.PATIENCE)) {
            throw new AssertionError("a stranger was let in: " + wire);
        } catch (TransportException e) {
            assertThatThrownBy(theirs::get).isInstanceOf(ExecutionException.class).hasCauseInstanceOf(TransportException.class);
            return e;
        }
    }

    @Test
    void connectingGivesUpNamingAllRanksThatAreMissing() {
        RdmaTransport transport = Backends.tcp();
        try (Port rank0 = transport.open(VirtualRanks.identity(0, 3), ANYWHERE, GivenContext.empty());
                Port rank1 = transport.open(VirtualRanks.identity(1, 3), ANYWHERE, GivenContext.empty());
                Port rank2 = transport.open(VirtualRanks.identity(2, 3), ANYWHERE, GivenContext.empty())) {
            List<String> addresses = List.of(rank0.address(), rank1.address(), rank2.address());
            assertThatThrownBy(() -> rank0.connect(addresses, Set.of(1, 2), SHORT)).isInstanceOf(TransportException.class)
                    .hasMessageContainingAll("rank 1 (process", "rank 2 (process");
        }
    }

    @Test
    void anAddressOfSomethingElseIsNoAddress() {
        try (Port port = Backends.tcp().open(VirtualRanks.identity(0, 2), ANYWHERE, GivenContext.empty())) {
            for (String address : List.of("10.0.0.1:7070", "ucx:a:b", "ucx:a:b:c:d:e:f", "ucx:a:1:2:3:!:!")) {
                assertThatThrownBy(() -> port.reach(address)).isInstanceOf(TransportException.class)
                        .hasMessageContaining(address);
            }
        }
    }

    @Test
    void ucxListensWhereItIsTold() throws Exception {
        var settings = new RdmaSettings(UcxLibrary.NAME, List.of("tcp"), List.of("lo"), Optional.empty(), Optional.empty(),
                Optional.empty(),
                Optional.empty(), Optional.of("18515-18530"));
        try (Port port = Backends.on(settings).open(VirtualRanks.identity(0, 2), ANYWHERE, GivenContext.empty())) {
            assertThat(port.address()).startsWith("ucx:");
            List<Integer> listening = Files.readAllLines(Path.of("/proc/net/tcp")).stream()
                    .map(line -> line.strip().split("\\s+"))
                    .filter(fields -> fields[3].equals("0A")).map(fields -> Integer.parseInt(fields[1].split(":")[1], 16))
                    .toList();
            assertThat(listening).anyMatch(number -> number >= 18515 && number <= 18530);
        }
    }

    @Test
    void aLinkSaysOverWhatItGoes() {
        try (var ranks = VirtualRanks.open(Backends.tcp(), 2)) {
            ranks.run(wire -> assertThat(wire.path(1 - wire.rank())).startsWith("rdma tcp/lo"));
        }
    }
}
