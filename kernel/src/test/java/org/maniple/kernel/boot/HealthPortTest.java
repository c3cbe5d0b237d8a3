package org.maniple.kernel.boot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.maniple.api.ManipleException;

class HealthPortTest {

    private final AtomicReference<List<String>> reasons = new AtomicReference<>(List.of("rank 0 is starting"));

    @Test
    void readinessFollowsTheUnitWhileTheProcessIsAlive() throws Exception {
        try (HealthPort health = HealthPort.open("127.0.0.1", 0, reasons::get)) {
            assertThat(get(health, "/livez").statusCode()).isEqualTo(200);
            assertThat(get(health, "/ready").statusCode()).isEqualTo(503);
            assertThat(get(health, "/ready").body()).contains("\"reasons\":[\"rank 0 is starting\"]");

            reasons.set(List.of());
            assertThat(get(health, "/ready").statusCode()).isEqualTo(200);
            assertThat(get(health, "/health").statusCode()).isEqualTo(200);

            reasons.set(List.of("rank 3 on n1 is gone: \"closed\""));
            assertThat(get(health, "/health").statusCode()).isEqualTo(503);
            assertThat(get(health, "/health").body()).contains("is gone: \\\"closed\\\"");
        }
    }

    @Test
    void otherPathsAreNotFound() throws Exception {
        try (HealthPort health = HealthPort.open("127.0.0.1", 0, reasons::get)) {
            assertThat(get(health, "/v1/models").statusCode()).isEqualTo(404);
        }
    }

    @Test
    void aPortThatIsTakenIsAnErrorThatSaysWhatToDo() {
        try (HealthPort first = HealthPort.open("127.0.0.1", 0, reasons::get)) {
            int port = first.port();
            assertThatThrownBy(() -> HealthPort.open("127.0.0.1", port, reasons::get)).isInstanceOf(ManipleException.class)
                    .hasMessageContaining("health checks cannot be answered at [127.0.0.1:" + port + "]")
                    .hasMessageEndingWith("; give another --health-port");
        }
    }

    /** An answer; by means of the base module, since the kernel does not read the HTTP client's. */
    private record Answer(int statusCode, String body) {}

    private static Answer get(HealthPort health, String path) throws IOException {
        var connection = (HttpURLConnection) URI.create("http://127.0.0.1:" + health.port() + path).toURL().openConnection();
        int status = connection.getResponseCode();
        try (InputStream body = status < 400 ? connection.getInputStream() : connection.getErrorStream()) {
            return new Answer(status, body == null ? "" : new String(body.readAllBytes(), StandardCharsets.UTF_8));
        }
    }
}
