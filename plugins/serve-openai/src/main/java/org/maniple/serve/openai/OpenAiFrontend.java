package org.maniple.serve.openai;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.maniple.api.ManipleException;
import org.maniple.api.PluginContext;
import org.maniple.api.config.Option;
import org.maniple.api.config.Settings;
import org.maniple.api.engine.Engine;
import org.maniple.api.frontend.Frontend;
import org.maniple.api.text.TextCodec;

/** OpenAI's API over HTTP/1.1, with vLLM's extensions. */
public final class OpenAiFrontend implements Frontend {

    private static final int MOST_WORKERS = 8;
    private static final Duration SPAN_PAUSE = Duration.ofMillis(500);
    private static final Duration PROBE_LIMIT = Duration.ofSeconds(20);

    /** For {@link java.util.ServiceLoader}. */
    public OpenAiFrontend() {}

    @Override
    public String name() {
        return "openai";
    }

    @Override
    public List<Option> options() {
        return OpenAiOptions.all();
    }

    @Override
    public Serving serve(Engine engine, PluginContext context) {
        Settings settings = context.settings();
        HttpLimits limits = HttpLimits.standard((int) Math.min(settings.bytes(OpenAiOptions.MAX_BODY), Integer.MAX_VALUE / 2))
                .numberingEvents(settings.flag(OpenAiOptions.STREAM_EVENT_IDS));
        return serve(engine, context, limits);
    }

    /** With limits of the caller's choice. */
    Serving serve(Engine engine, PluginContext context, HttpLimits limits) {
        Settings settings = context.settings();
        String host = settings.text("host");
        InetSocketAddress where = new InetSocketAddress(host, settings.integer("port"));
        ApiKeys keys = ApiKeys.of(settings);
        Optional<Tls> tls = Tls.of(settings);
        checkExposure(where, keys, context);

        int processors = Math.max(1, context.host().processors());
        Workers workers = new Workers(Math.min(processors, MOST_WORKERS));
        Json json = new Json();
        Readiness readiness = new Readiness(engine, settings.duration("step-timeout"));
        Metrics metrics = new Metrics(engine, workers);
        Optional<SpanExporter> exporter = settings.optionalText(OpenAiOptions.TRACES).map(SpanExporter::endpoint)
                .map(endpoint -> new SpanExporter(endpoint, json, engine.version(), SPAN_PAUSE));
        Runs runs = new Runs(engine, metrics, exporter.flatMap(spans -> tracing(engine, spans, context)),
                TimeLimits.of(settings));
        Optional<TextCodec> codec = engine.text();
        ModelRoutes models = new ModelRoutes(engine.model(), System.currentTimeMillis() / 1000);
        SamplingFields sampling = new SamplingFields(engine.model(),
                SamplingDefaults.of(engine.model().generationDefaults(), settings),
                codec, new StructuredFields(json));
        ChatMessages messages = new ChatMessages(json);
        Chats chats = new Chats(engine, models, sampling, messages, AnswerSyntax.of(settings, json), runs, workers);
        CompletionPrompts prompts = new CompletionPrompts(codec, engine.model().vocabulary());

        ReasoningFields reasoning = settings.optionalText(OpenAiOptions.REASONING_FIELDS).map(ReasoningFields::of)
                .orElse(ReasoningFields.BOTH);
        List<Route> routes = new ArrayList<>();
        routes.add(new ChatRoute(chats, reasoning).route());
        routes.add(new CompletionRoute(engine, models, sampling, prompts, runs, workers).route());
        routes.add(new GenerateRoute(engine, models, sampling, runs, workers).route());
        routes.add(new EmbeddingRoute(engine, models, messages, settings, json, runs, workers).route());
        routes.addAll(new ResponsesRoute(chats, runs).routes());
        routes.addAll(new MessagesRoute(chats, json).routes());
        routes.addAll(models.routes());
        routes.addAll(new TokenRoutes(engine, models, messages).routes());
        routes.addAll(new StatusRoutes(engine, readiness).routes());
        routes.addAll(new LoadRoutes(engine, System::nanoTime).routes());
        routes.add(new GenerationProbe(engine, workers, PROBE_LIMIT).route());
        routes.addAll(runs.routes());
        routes.add(metrics.route(settings.flag(OpenAiOptions.METRICS_WITHOUT_KEY)));

        boolean onlyLocalNames = isLoopback(where) && !keys.areRequired();
        Router router = new Router(routes, OriginRules.of(settings, onlyLocalNames, keys.areRequired()), keys, workers,
                readiness);
        var server = new HttpServer(where, host, Math.min(processors, 2), limits, router, json, readiness, runs, workers,
                exporter,
                tls);
        Thread.ofPlatform().daemon().name("openai-prepare").start(json::prepare);
        return server;
    }

    private static Optional<Tracing> tracing(Engine engine, SpanExporter exporter, PluginContext context) {
        var tracing = new Tracing(engine, exporter::add);
        if (engine.observe(tracing)) {
            return Optional.of(tracing);
        }
        context.announce(
                "warning: " + OpenAiOptions.TRACES + " has no effect here: rank 0's server alone knows the times of requests");
        return Optional.empty();
    }

    /** Whoever writes an address down has decided to be reachable there; one that came by itself must not expose a server. */
    private static void checkExposure(InetSocketAddress where, ApiKeys keys, PluginContext context) {
        if (keys.areRequired() || where.isUnresolved() || isLoopback(where)) {
            return;
        }
        if (!context.settings().given("host")) {
            throw new ManipleException(
                    "host [" + where.getHostString() + "] can be reached from other machines and no api-key is set;"
                            + " set api-key-file, or write --host " + where.getHostString() + " to serve without a key");
        }
        context.announce("warning: the API at " + where.getHostString() + ":" + where.getPort()
                + " can be used by everybody who can reach it; set api-key-file to ask for a key");
    }

    private static boolean isLoopback(InetSocketAddress where) {
        InetAddress address = where.getAddress();
        return address != null && address.isLoopbackAddress();
    }
}
