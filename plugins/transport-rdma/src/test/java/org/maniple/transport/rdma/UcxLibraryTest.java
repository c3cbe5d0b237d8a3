package org.maniple.transport.rdma;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UcxLibraryTest {

    @TempDir
    private Path directory;

    @Test
    void aMissingLibraryIsSaidWithWhatToInstall() {
        assertThat(UcxLibrary.load("libucp-of-nowhere.so.0")).isInstanceOfSatisfying(UcxLibrary.Missing.class,
                missing -> assertThat(missing.reason()).contains("libucp-of-nowhere.so.0", "libucx0", "rdma-library"));
        assertThat(UcxLibrary.load(directory.resolve("libucp.so.0").toString())).isInstanceOf(UcxLibrary.Missing.class);
    }

    @Test
    void anotherLibraryIsNotTakenForUcx() {
        assertThat(UcxLibrary.load("libc.so.6")).isInstanceOfSatisfying(UcxLibrary.Missing.class,
                missing -> assertThat(missing.reason()).contains("libc.so.6", "is not libucp", "ucp_"));
    }

    @Test
    void anOldLibraryIsRefusedWithItsVersion() throws Exception {
        Path old = compiled(
                """
                        void ucp_get_version(unsigned *major, unsigned *minor, unsigned *release) { *major = 1; *minor = 9; *release = 0; }
                        """
                        + Stream.of("ucp_worker_progress", "ucp_worker_arm", "ucp_worker_signal", "ucp_tag_send_nbx",
                                "ucp_tag_send_sync_nbx",
                                "ucp_tag_recv_nbx", "ucp_request_check_status", "ucp_request_free", "ucp_request_cancel",
                                "ucp_ep_close_nbx",
                                "ucp_ep_flush_nbx").map(name -> "void " + name + "(void) {}").collect(Collectors.joining("\n")),
                "-shared", "-fPIC");
        assertThat(UcxLibrary.load(old.toString())).isInstanceOfSatisfying(UcxLibrary.Missing.class,
                missing -> assertThat(missing.reason()).contains("is UCX 1.9.0", "needs 1.13"));
    }

    private Path compiled(String program, String... flags) throws IOException, InterruptedException {
        Path source = Files.writeString(directory.resolve("program.c"), program);
        Path result = directory.resolve("result");
        Process compiler;
        try {
            compiler = new ProcessBuilder(
                    Stream.concat(Stream.of("cc", "-o", result.toString(), source.toString()), Stream.of(flags)).toList())
                    .redirectErrorStream(true).start();
        } catch (IOException e) {
            assumeTrue(false, "left out, since there is no C compiler: " + e.getMessage());
            throw e;
        }
        String output = new String(compiler.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(compiler.waitFor()).as(output).isZero();
        return result;
    }

    @Test
    void theJvmSurvivesNullPointersWhateverTheEnvironmentTellsUcxAboutSignals() throws Exception {
        Backends.library();
        Process process = ChildJvm.start(NullPointers.class,
                Map.of("UCX_ERROR_SIGNALS", "ILL,SEGV,BUS,FPE", "UCX_HANDLE_ERRORS", "bt"),
                List.of("-XX:-OmitStackTraceInFastThrow"));
        try (var output = process.inputReader(StandardCharsets.UTF_8)) {
            assertThat(output.readLine()).startsWith(NullPointers.ALIVE);
            assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue()).isZero();
        } finally {
            process.destroyForcibly();
        }
    }

    @Test
    void anErrorOfOneByteIsTheNegativeNumberThatItIs() {
        UcxLibrary.Loaded library = Backends.library();
        assumeTrue(RdmaDevice.all(RdmaDevice.DIRECTORY).isEmpty(), "left out, since there is a device here");
        assertThatThrownBy(() -> Worker.open(library.ucp(), Map.of("TLS", "rc", "LOG_LEVEL", "fatal"), 2).close())
                .isInstanceOf(UcxException.class).hasMessageContaining("No such device (" + Status.NO_DEVICE + ")");
    }

    @Test
    void structuresAreThoseOfTheHeaders() throws Exception {
        assumeTrue(Files.exists(Path.of("/usr/include/ucp/api/ucp.h")),
                "left out, since the headers of UCX are not here (Debian: libucx-dev)");
        Path program = compiled(
                """
                        #include <stddef.h>
                        #include <stdio.h>
                        #include <ucp/api/ucp.h>
                        int main() {
                            printf("%zu %zu %zu ", sizeof(ucp_params_t), offsetof(ucp_params_t, features), offsetof(ucp_params_t, estimated_num_eps));
                            printf("%zu %zu %zu ", sizeof(ucp_worker_params_t), offsetof(ucp_worker_params_t, thread_mode), sizeof(ucs_status_t));
                            printf("%zu %zu %zu %zu ", sizeof(ucp_ep_params_t), offsetof(ucp_ep_params_t, address),
                                   offsetof(ucp_ep_params_t, err_mode), offsetof(ucp_ep_params_t, err_handler));
                            printf("%zu %zu %zu %zu ", sizeof(ucp_request_param_t), offsetof(ucp_request_param_t, flags),
                                   offsetof(ucp_request_param_t, memory_type), offsetof(ucp_request_param_t, memh));
                            printf("%zu", sizeof(ucp_mem_map_params_t));
                        }
                        """);
        Process process = new ProcessBuilder(program.toString()).start();
        String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        // Later headers have larger structures: only those of the version that the layouts are of are compared as a whole.
        assumeTrue(Backends.library().version().startsWith("1.13."), "left out, since the headers are of another version");
        assertThat(printed).isEqualTo(Stream.of(Structs.CONTEXT_BYTES, Structs.FEATURES_AT, Structs.ESTIMATED_ENDPOINTS_AT,
                Structs.WORKER_BYTES, Structs.THREAD_MODE_AT, (long) Byte.BYTES,
                Structs.ENDPOINT_BYTES, Structs.ADDRESS_AT, Structs.ERROR_MODE_AT, Structs.ERROR_HANDLER_AT,
                Structs.REQUEST_BYTES, Structs.FLAGS_AT, Structs.MEMORY_TYPE_AT, Structs.MEMORY_HANDLE_AT,
                Structs.MEMORY_BYTES).map(String::valueOf).collect(Collectors.joining(" ")));
    }
}
