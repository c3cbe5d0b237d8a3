package org.maniple.transport.rdma;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DoctorTest {

    @TempDir
    private Path directory;

    private List<String> lines(Map<String, String> environment, List<RdmaDevice> devices, String locked) throws IOException {
        Path limits = Files.writeString(directory.resolve("limits"), "Limit  Soft Limit  Hard Limit  Units\n"
                + "Max locked memory         " + locked + "              unlimited              bytes\n");
        return new Doctor(RdmaSettings.of(environment), environment, devices, limits).lines();
    }

    private List<RdmaDevice> devices(String state) throws IOException {
        Path port = Files.createDirectories(directory.resolve("infiniband/mlx5_0/ports/1"));
        Files.writeString(port.resolve("state"), state + "\n");
        Files.writeString(port.resolve("link_layer"), "Ethernet\n");
        Files.writeString(port.resolve("rate"), "100 Gb/sec (4X EDR)\n");
        return RdmaDevice.all(directory.resolve("infiniband"));
    }

    @Test
    void whereThereIsNoDeviceItSaysSoAndWhatToDo() throws IOException {
        assertThat(lines(Map.of(), List.of(), "8388608")).satisfiesExactly(
                line -> assertThat(line).isEqualTo("devices (/sys/class/infiniband): none"),
                line -> assertThat(line).contains("8388608 bytes", "ulimit -l unlimited"),
                line -> assertThat(line).startsWith("library: "),
                line -> assertThat(line).contains("UCX_TLS=ib"),
                line -> assertThat(line).startsWith("would be used: nothing, because there is no InfiniBand or RoCE device"));
    }

    @Test
    void aPortThatIsDownIsShownAsTheReason() throws IOException {
        assertThat(lines(Map.of(), devices("1: DOWN"), "unlimited")).anyMatch(line -> line.equals(
                "devices (/sys/class/infiniband): mlx5_0:1 (Ethernet, 100 Gb/sec (4X EDR), DOWN)"))
                .contains("locked memory: unlimited").anyMatch(line -> line.contains("no port") && line.contains("is active"));
    }

    @Test
    void whatForbidsItIsNamed() throws IOException {
        assertThat(lines(Map.of("NCCL_IB_DISABLE", "1"), devices("4: ACTIVE"), "unlimited"))
                .anyMatch(line -> line.contains("NCCL_IB_DISABLE=1 forbids it"));
    }

    @Test
    void aMissingLibraryIsTheReasonWhereThereIsADevice() throws IOException {
        assertThat(lines(Map.of("MANIPLE_RDMA_LIBRARY", "libucp-of-nowhere.so"), devices("4: ACTIVE"), "unlimited"))
                .anyMatch(line -> line.contains("libucx0")).contains("would be used: nothing, because there is no library");
    }

    @Test
    void whatUcxWouldUseIsShown() throws IOException {
        UcxLibrary.Loaded library = Backends.library();
        assertThat(lines(Map.of("MANIPLE_RDMA_TRANSPORTS", "tcp", "MANIPLE_RDMA_DEVICES", "lo"), List.of(), "unlimited"))
                .contains("library: UCX " + library.version() + ", " + library.file(), "would be used: tcp/lo");
    }
}
