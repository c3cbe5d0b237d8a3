package org.maniple.serve.openai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URI;
import java.net.http.HttpRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.maniple.api.ManipleException;
import org.maniple.api.engine.EndedRequest;
import org.maniple.api.engine.GenerationEvent.FinishReason;
import org.maniple.api.engine.GenerationRequest;
import org.maniple.api.engine.Sampling;
import org.maniple.api.engine.UnitStatus.StepTimes;
import org.maniple.serve.openai.TestServer.Answer;

@Timeout(120)
class TracingTest {

    private static final String TRACE = "0af7651916cd43dd8448eb211c80319c";
    private static final String PARENT = "b7ad6b7169203331";
    private static final long MILLISECOND = 1_000_000;

    private final FakeEngine engine = new FakeEngine();
    private final List<Span> spans = new ArrayList<>();
    private final Tracing tracing = new Tracing(engine, spans::add);

    @AfterEach
    void close() {
        engine.close();
    }

    private static EndedRequest ended(String id, Optional<FinishReason> reason) {
        return new EndedRequest(id, 0, reason, 20, 5, OptionalInt.of(64), 900 * MILLISECOND, OptionalLong.of(100 * MILLISECOND),
                OptionalLong.of(300 * MILLISECOND), OptionalLong.of(400 * MILLISECOND));
    }

    private void begin(String traceparent) {
        tracing.begin(TraceContext.of(traceparent), new GenerationRequest("one", new int[] {1}, Sampling.greedy(64)), 1);
    }

    private Span span(String name) {
        return spans.stream().filter(span -> span.name().equals(name)).findFirst().orElseThrow();
    }

    @Test
    void aRequestIsASpanOfItsClientsTraceWithVllmsAttributes() {
        begin("00-" + TRACE + "-" + PARENT + "-01");
        tracing.ended(ended("one", Optional.of(FinishReason.STOP)));

        Span request = span("llm_request");
        assertThat(request.traceId()).isEqualTo(TRACE);
        assertThat(request.parentId()).contains(PARENT);
        assertThat(request.kind()).isEqualTo(Span.SERVER);
        assertThat(request.endNanos() - request.beginNanos()).isEqualTo(900 * MILLISECOND);
        assertThat(request.failed()).isFalse();
        assertThat(request.attributes()).containsEntry("gen_ai.request.id", "one").containsEntry("gen_ai.request.max_tokens", 64)
                .containsEntry("gen_ai.usage.prompt_tokens", 20).containsEntry("gen_ai.usage.completion_tokens", 5)
                .containsEntry("gen_ai.latency.time_in_queue", 0.1).containsEntry("gen_ai.latency.time_to_first_token", 0.4)
                .containsEntry("gen_ai.latency.e2e", 0.9).containsEntry("gen_ai.response.model", "/models/toy");
    }

    @Test
    void itsPhasesFollowEachOtherBelowIt() {
        begin("");
        tracing.ended(ended("one", Optional.of(FinishReason.STOP)));

        Span request = span("llm_request");
        List<Span> phases = List.of(span("queue"), span("prefill"), span("decode"));
        assertThat(phases).allSatisfy(phase -> {
            assertThat(phase.traceId()).isEqualTo(request.traceId());
            assertThat(phase.parentId()).contains(request.id());
        });
        assertThat(phases.get(0).beginNanos()).isEqualTo(request.beginNanos());
        assertThat(phases.get(1).beginNanos()).isEqualTo(phases.get(0).endNanos());
        assertThat(phases.get(2).beginNanos()).isEqualTo(phases.get(1).endNanos());
        assertThat(phases).extracting(phase -> (phase.endNanos() - phase.beginNanos()) / MILLISECOND).containsExactly(100L, 300L,
                400L);
    }

    @Test
    void eachRankThatComputedHasASpanWithWhatItDid() {
        begin("");
        engine.times = new StepTimes(12, 5_500_000_000L, 2_100_000_000L, 1_000_000_000L);
        tracing.ended(ended("one", Optional.of(FinishReason.STOP)));

        assertThat(span("rank 0").parentId()).contains(span("llm_request").id());
        assertThat(span("rank 0").attributes()).containsEntry("maniple.steps", 5L).containsEntry("maniple.compute_seconds", 0.5)
                .containsEntry("maniple.communication_seconds", 0.1).containsEntry("maniple.waiting_seconds", 0.0)
                .containsEntry("host.name", "node-a").containsEntry("maniple.mesh.tp", 0);
        assertThat(spans).extracting(Span::name).as("it has not reported a step").doesNotContain("rank 1");
    }

    @Test
    void aRequestThatFailsIsAnError() {
        begin("");
        tracing.ended(ended("one", Optional.empty()));

        assertThat(span("llm_request").failed()).isTrue();
    }

    @Test
    void whatTheClientDoesNotRecordIsNotRecordedHere() {
        begin("00-" + TRACE + "-" + PARENT + "-00");
        tracing.ended(ended("one", Optional.of(FinishReason.STOP)));
        tracing.ended(ended("never begun", Optional.of(FinishReason.STOP)));

        assertThat(spans).isEmpty();
    }

    @Test
    void aRequestThatIsRefusedIsForgotten() {
        begin("");
        tracing.forget("one");

        assertThat(tracing.running()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "x", "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331"})
    void aMalformedContextBeginsANewTrace(String header) {
        TraceContext context = TraceContext.of(header);

        assertThat(context.traceId()).matches("[0-9a-f]{32}").isNotEqualTo(TRACE);
        assertThat(context.parentId()).isEmpty();
        assertThat(context.sampled()).isTrue();
    }

    @Test
    void aLaterVersionMayHaveMoreFields() {
        assertThat(TraceContext.of("01-" + TRACE + "-" + PARENT + "-01-more"))
                .isEqualTo(new TraceContext(TRACE, Optional.of(PARENT), true));
    }

    @Test
    void spansReachTheCollectorAsOtlpInJson() throws Exception {
        try (var collector = new FakeCollector(200);
                var server = new TestServer(engine, Map.of("otlp-traces-endpoint", collector.url()), TestServer.LIMITS)) {
            HttpRequest chat = server.request("/v1/chat/completions").header("traceparent", "00-" + TRACE + "-" + PARENT + "-01")
                    .header("Content-Type", "application/json")
                    .POST(HttpRequest.BodyPublishers.ofString(TestServer.chatBody("\"max_tokens\":4"))).build();
            assertThat(server.send(chat).status()).isEqualTo(200);
            engine.observer.ended(ended(engine.submitted.element().request().id(), Optional.of(FinishReason.LENGTH)));

            String[] posted = collector.next().split("\r\n\r\n", 2);
            assertThat(posted[0]).startsWith("POST /v1/traces HTTP/1.1\r\n")
                    .containsIgnoringCase("content-type: application/json");
            var body = new Answer(200, Map.of(), posted[1]);
            assertThat(body.at("resourceSpans.0.resource.attributes.0.value.stringValue")).isEqualTo("maniple");
            String first = "resourceSpans.0.scopeSpans.0.spans.0.";
            assertThat(body.at(first + "traceId")).isEqualTo(TRACE);
            assertThat(body.at(first + "parentSpanId")).isEqualTo(PARENT);
            assertThat(body.at(first + "name")).isEqualTo("llm_request");
            assertThat(body.at(first + "startTimeUnixNano")).asString().matches("\\d{19}");
            assertThat(posted[1]).contains("{\"key\":\"gen_ai.usage.completion_tokens\",\"value\":{\"intValue\":\"5\"}}",
                    "{\"key\":\"gen_ai.latency.e2e\",\"value\":{\"doubleValue\":0.9}}");
        }
    }

    @Test
    void aCollectorThatRefusesOrIsGoneCostsNothingButTheSpans() throws Exception {
        String gone;
        try (var refusing = new FakeCollector(500)) {
            gone = refusing.url();
            var exporter = new SpanExporter(SpanExporter.endpoint(refusing.url()), new Json(), "0", Duration.ofMillis(10));
            exporter.add(new Span(TRACE, PARENT, Optional.empty(), "one", Span.SERVER, 1, 2, Map.of(), false));
            refusing.next();
            exporter.close();
        }
        var exporter = new SpanExporter(SpanExporter.endpoint(gone), new Json(), "0", Duration.ofMillis(10));
        for (int i = 0; i < 10_000; i++) {
            exporter.add(new Span(TRACE, PARENT, Optional.empty(), "one", Span.SERVER, 1, 2, Map.of(), false));
        }
        exporter.close();
    }

    @Test
    void anEndpointMayHaveAPathOfItsOwn() {
        assertThat(SpanExporter.endpoint("http://127.0.0.1:4318")).isEqualTo(URI.create("http://127.0.0.1:4318/v1/traces"));
        assertThat(SpanExporter.endpoint("https://collector/in/traces")).isEqualTo(URI.create("https://collector/in/traces"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"grpc://localhost:4317", "localhost:4317", "", "http://", "not an address"})
    void anEndpointThatIsNoneSaysWhatOneIs(String text) {
        assertThatThrownBy(() -> SpanExporter.endpoint(text)).isInstanceOf(ManipleException.class)
                .hasMessageContaining("otlp-traces-endpoint [" + text + "]").hasMessageContaining("http://127.0.0.1:4318");
    }
}
