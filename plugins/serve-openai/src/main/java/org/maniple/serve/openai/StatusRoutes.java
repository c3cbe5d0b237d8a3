package org.maniple.serve.openai;

import io.netty.handler.codec.http.HttpMethod;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.maniple.api.engine.Engine;
import org.maniple.api.engine.ExpertStatus;
import org.maniple.api.engine.UnitStatus;
import org.maniple.api.engine.UnitStatus.HomeStatus;
import org.maniple.api.engine.UnitStatus.LinkStatus;
import org.maniple.api.engine.UnitStatus.RankStatus;
import tools.jackson.core.JsonGenerator;

/** What a unit says about itself. */
final class StatusRoutes {

    private final Engine engine;
    private final Readiness readiness;

    StatusRoutes(Engine engine, Readiness readiness) {
        this.engine = engine;
        this.readiness = readiness;
    }

    List<Route> routes() {
        return List.of(
                Route.openGet("/health", this::health),
                Route.openGet("/ping", this::health),
                new Route(HttpMethod.POST, "/ping", true, false, false, ErrorShape.OPENAI, this::health),
                Route.openGet("/ready", this::ready),
                Route.openGet("/readyz", this::ready),
                Route.openGet("/health/ready", this::ready),
                Route.openGet("/livez", (exchange, fields) -> exchange.respond(200, json -> {
                    json.writeStartObject();
                    json.writeStringProperty("status", "alive");
                    json.writeEndObject();
                })),
                Route.get("/version", (exchange, fields) -> exchange.respond(200, json -> {
                    json.writeStartObject();
                    json.writeStringProperty("version", engine.version());
                    json.writeEndObject();
                })),
                Route.get("/server_info", this::serverInfo),
                Route.get("/get_server_info", this::serverInfo),
                Route.get("/model_info", this::modelInfo),
                Route.get("/get_model_info", this::modelInfo),
                Route.get("/v1/cluster", this::cluster),
                Route.get("/v1/cluster/ranks", (exchange, fields) -> exchange.respond(200, json -> {
                    json.writeStartObject();
                    ranks(json, engine.status());
                    json.writeEndObject();
                })),
                Route.get("/v1/cluster/links", (exchange, fields) -> exchange.respond(200, json -> {
                    json.writeStartObject();
                    links(json, engine.status().links());
                    json.writeEndObject();
                })),
                Route.get("/v1/cluster/experts", this::experts),
                Route.action("/reset_prefix_cache", this::resetPrefixCache),
                Route.action("/flush_cache", this::resetPrefixCache));
    }

    private void resetPrefixCache(Exchange exchange, Fields fields) {
        engine.resetPrefixCache();
        exchange.respondEmpty(200, Map.of());
    }

    private void experts(Exchange exchange, Fields fields) {
        Optional<ExpertStatus> known = engine.experts();
        exchange.respond(200, json -> {
            json.writeStartObject();
            if (known.isPresent()) {
                write(json, known.get());
            } else {
                json.writeNullProperty("layers");
            }
            json.writeEndObject();
        });
    }

    private static void write(JsonGenerator json, ExpertStatus status) {
        json.writeBooleanProperty("rebalances", status.rebalances());
        json.writeNumberProperty("rounds", status.rounds());
        json.writeNumberProperty("abandoned_rounds", status.abandonedRounds());
        json.writeArrayPropertyStart("layers");
        status.layers().forEach(layer -> layer(json, layer));
        json.writeEndArray();
    }

    private static void layer(JsonGenerator json, ExpertStatus.Layer layer) {
        json.writeStartObject();
        json.writeNumberProperty("layer", layer.layer());
        json.writeNumberProperty("version", layer.version());
        json.writeArrayPropertyStart("ranks");
        for (ExpertStatus.RankExperts rank : layer.ranks()) {
            json.writeStartObject();
            json.writeNumberProperty("rank", rank.rank());
            json.writeArrayPropertyStart("experts");
            rank.experts().forEach(json::writeNumber);
            json.writeEndArray();
            json.writeEndObject();
        }
        json.writeEndArray();
        if (layer.balancedness().isPresent()) {
            json.writeArrayPropertyStart("loads");
            layer.loads().forEach(json::writeNumber);
            json.writeEndArray();
            json.writeNumberProperty("balancedness", layer.balancedness().getAsDouble());
        } else {
            json.writeNullProperty("loads");
            json.writeNullProperty("balancedness");
        }
        json.writeEndObject();
    }

    /** Probes look at the status alone, so there is a body only where somebody has to find out why. */
    private void health(Exchange exchange, Fields fields) {
        if (readiness.reasons(engine.status()).isEmpty()) {
            exchange.respondEmpty(200, Map.of());
        } else {
            ready(exchange, fields);
        }
    }

    private void ready(Exchange exchange, Fields fields) {
        UnitStatus status = engine.status();
        List<String> reasons = readiness.reasons(status);
        exchange.respond(reasons.isEmpty() ? 200 : 503, json -> {
            json.writeStartObject();
            json.writeStringProperty("status", reasons.isEmpty() ? "ready" : "unavailable");
            json.writeBooleanProperty("ready", reasons.isEmpty());
            texts(json, "reasons", reasons);
            json.writeNumberProperty("epoch", status.epoch());
            Optional<Duration> age = readiness.stepAge();
            if (age.isPresent()) {
                json.writeNumberProperty("step_age_seconds", age.get().toNanos() / 1e9);
            } else {
                json.writeNullProperty("step_age_seconds");
            }
            json.writeEndObject();
        });
    }

    private void serverInfo(Exchange exchange, Fields fields) {
        UnitStatus status = engine.status();
        exchange.respond(200, json -> {
            json.writeStartObject();
            json.writeStringProperty("version", engine.version());
            json.writeStringProperty("model", engine.model().names().getFirst());
            json.writeStringProperty("architecture", engine.model().architecture());
            json.writeNumberProperty("max_model_len", engine.model().maxModelLength());
            json.writeNumberProperty("vocab_size", engine.model().vocabulary());
            json.writeNumberProperty("world_size", status.ranks().size());
            configuration(json, status);
            json.writeEndObject();
        });
    }

    /** What SGLang's router reads. */
    private void modelInfo(Exchange exchange, Fields fields) {
        exchange.respond(200, json -> {
            json.writeStartObject();
            json.writeStringProperty("model_path", engine.model().path());
            json.writeStringProperty("served_model_name", engine.model().names().getFirst());
            json.writeBooleanProperty("is_generation", true);
            json.writeNumberProperty("max_context_length", engine.model().maxModelLength());
            json.writeEndObject();
        });
    }

    private void cluster(Exchange exchange, Fields fields) {
        UnitStatus status = engine.status();
        List<String> reasons = readiness.reasons(status);
        exchange.respond(200, json -> {
            json.writeStartObject();
            json.writeStringProperty("model", engine.model().names().getFirst());
            json.writeBooleanProperty("ready", reasons.isEmpty());
            texts(json, "reasons", reasons);
            json.writeNumberProperty("epoch", status.epoch());
            ranks(json, status);
            links(json, status.links());
            json.writeObjectPropertyStart("requests");
            json.writeNumberProperty("running", status.runningRequests());
            json.writeNumberProperty("waiting", status.waitingRequests());
            json.writeEndObject();
            json.writeObjectPropertyStart("kv_blocks");
            json.writeNumberProperty("total", status.kvBlocks());
            json.writeNumberProperty("free", status.freeKvBlocks());
            json.writeEndObject();
            homes(json, status.homes());
            configuration(json, status);
            json.writeEndObject();
        });
    }

    private static void homes(JsonGenerator json, List<HomeStatus> homes) {
        json.writeArrayPropertyStart("homes");
        for (HomeStatus home : homes) {
            json.writeStartObject();
            json.writeNumberProperty("home", home.home());
            json.writeNumberProperty("running", home.runningRequests());
            json.writeNumberProperty("waiting", home.waitingRequests());
            json.writeNumberProperty("admitted", home.admittedRequests());
            json.writeNumberProperty("kv_blocks", home.kvBlocks());
            json.writeNumberProperty("free_kv_blocks", home.freeKvBlocks());
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    private static void ranks(JsonGenerator json, UnitStatus status) {
        json.writeArrayPropertyStart("ranks");
        for (RankStatus rank : status.ranks()) {
            RankBlocks blocks = RankBlocks.of(status, rank);
            json.writeStartObject();
            json.writeNumberProperty("rank", rank.rank());
            json.writeStringProperty("host", rank.host());
            json.writeNumberProperty("pid", rank.processId());
            json.writeObjectPropertyStart("coordinates");
            rank.coordinates().forEach(json::writeNumberProperty);
            json.writeEndObject();
            json.writeStringProperty("state", rank.state());
            json.writeNumberProperty("weight_bytes", rank.weightBytes());
            json.writeNumberProperty("kv_bytes", rank.kvBytes());
            json.writeNumberProperty("kv_blocks", blocks.all());
            json.writeNumberProperty("referenced_kv_blocks", blocks.referenced());
            json.writeNumberProperty("resident_bytes", rank.residentBytes());
            json.writeNumberProperty("dispatched_bytes", rank.dispatchedBytes());
            json.writeNumberProperty("combined_bytes", rank.combinedBytes());
            json.writeObjectPropertyStart("steps");
            json.writeNumberProperty("count", rank.times().steps());
            json.writeNumberProperty("halved", rank.times().halvedSteps());
            json.writeNumberProperty("compute_seconds", rank.times().computeNanos() / 1e9);
            json.writeNumberProperty("communication_seconds", rank.times().communicationNanos() / 1e9);
            json.writeNumberProperty("waiting_seconds", rank.times().waitingNanos() / 1e9);
            json.writeEndObject();
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    private static void links(JsonGenerator json, List<LinkStatus> links) {
        json.writeArrayPropertyStart("links");
        for (LinkStatus link : links) {
            json.writeStartObject();
            json.writeNumberProperty("from", link.from());
            json.writeNumberProperty("to", link.to());
            json.writeStringProperty("path", link.path());
            json.writeNumberProperty("sent_bytes", link.sentBytes());
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    private static void configuration(JsonGenerator json, UnitStatus status) {
        json.writeObjectPropertyStart("configuration");
        Map<String, String> sorted = new TreeMap<>(status.configuration());
        // The engine leaves secrets out; this plugin knows which of its own keys is one, whatever the engine believes.
        sorted.remove(OpenAiOptions.API_KEY);
        sorted.remove(OpenAiOptions.SSL_KEYFILE_PASSWORD);
        sorted.forEach(json::writeStringProperty);
        json.writeEndObject();
    }

    private static void texts(JsonGenerator json, String name, List<String> texts) {
        json.writeArrayPropertyStart(name);
        texts.forEach(json::writeString);
        json.writeEndArray();
    }
}
