package org.maniple.serve.openai;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.maniple.api.engine.Engine;
import org.maniple.api.engine.UnitStatus;
import org.maniple.api.engine.UnitStatus.HomeStatus;
import org.maniple.api.engine.UnitStatus.RankStatus;
import tools.jackson.core.JsonGenerator;

/** How much there is to do, as vLLM and SGLang say it, and how evenly it is spread over the ranks. */
final class LoadRoutes {

    private final Engine engine;
    private final LongSupplier clock;
    private final StageWindow window;

    /** @param clock nanoseconds since some moment */
    LoadRoutes(Engine engine, LongSupplier clock) {
        this.engine = engine;
        this.clock = clock;
        this.window = new StageWindow(engine.status().ranks(), clock.getAsLong());
    }

    List<Route> routes() {
        return List.of(Route.get("/load", this::load), Route.get("/get_load", this::oldLoads),
                Route.get("/v1/loads", this::loads),
                Route.get("/v1/cluster/plan", this::plan));
    }

    private void load(Exchange exchange, Fields fields) {
        UnitStatus status = engine.status();
        exchange.respond(200, json -> {
            json.writeStartObject();
            json.writeNumberProperty("server_load", status.runningRequests() + status.waitingRequests());
            json.writeEndObject();
        });
    }

    /** As SGLang's older routers read it. */
    private void oldLoads(Exchange exchange, Fields fields) {
        UnitStatus status = engine.status();
        exchange.respond(200, json -> {
            json.writeStartArray();
            for (HomeStatus home : status.homes()) {
                json.writeStartObject();
                json.writeNumberProperty("dp_rank", home.home());
                json.writeNumberProperty("num_reqs", home.runningRequests() + status.waitingFor(home));
                json.writeNumberProperty("num_waiting_reqs", status.waitingFor(home));
                tokens(json, "num_tokens", status, home.kvBlocks() - home.freeKvBlocks());
                json.writeEndObject();
            }
            json.writeEndArray();
        });
    }

    /** As SGLang's gateway reads it. */
    private void loads(Exchange exchange, Fields fields) {
        UnitStatus status = engine.status();
        exchange.respond(200, json -> {
            json.writeStartObject();
            json.writeStringProperty("version", engine.version());
            json.writeNumberProperty("dp_rank_count", status.homes().size());
            json.writeArrayPropertyStart("loads");
            for (HomeStatus home : status.homes()) {
                int used = home.kvBlocks() - home.freeKvBlocks();
                json.writeStartObject();
                json.writeNumberProperty("dp_rank", home.home());
                json.writeNumberProperty("num_running_reqs", home.runningRequests());
                json.writeNumberProperty("num_waiting_reqs", status.waitingFor(home));
                json.writeNumberProperty("num_total_reqs", home.runningRequests() + status.waitingFor(home));
                tokens(json, "num_used_tokens", status, used);
                tokens(json, "max_total_num_tokens", status, home.kvBlocks());
                json.writeNumberProperty("token_usage", home.kvBlocks() == 0 ? 0 : (double) used / home.kvBlocks());
                json.writeEndObject();
            }
            json.writeEndArray();
            json.writeEndObject();
        });
    }

    /** Blocks in tokens, or null where nobody knows how large a block is. */
    private static void tokens(JsonGenerator json, String name, UnitStatus status, int blocks) {
        Optional<Long> size = Optional.ofNullable(status.configuration().get("block-size")).map(Long::valueOf);
        if (size.isPresent()) {
            json.writeNumberProperty(name, blocks * size.get());
        } else {
            json.writeNullProperty(name);
        }
    }

    /** How the model is spread over the ranks, and how evenly these have been used in the last seconds. */
    private void plan(Exchange exchange, Fields fields) {
        UnitStatus status = engine.status();
        List<StageWindow.Stage> stages = window.look(status.ranks(), clock.getAsLong());
        exchange.respond(200, json -> {
            json.writeStartObject();
            json.writeArrayPropertyStart("ranks");
            status.ranks().forEach(rank -> write(json, rank));
            json.writeEndArray();
            json.writeArrayPropertyStart("stages");
            stages.forEach(stage -> write(json, stage));
            json.writeEndArray();
            json.writeEndObject();
        });
    }

    private static void write(JsonGenerator json, RankStatus rank) {
        json.writeStartObject();
        json.writeNumberProperty("rank", rank.rank());
        json.writeStringProperty("host", rank.host());
        json.writeObjectPropertyStart("coordinates");
        for (Map.Entry<String, Integer> at : rank.coordinates().entrySet()) {
            json.writeNumberProperty(at.getKey(), at.getValue());
        }
        json.writeEndObject();
        json.writeNumberProperty("weight_bytes", rank.weightBytes());
        json.writeNumberProperty("kv_bytes", rank.kvBytes());
        json.writeEndObject();
    }

    private static void write(JsonGenerator json, StageWindow.Stage stage) {
        json.writeStartObject();
        json.writeNumberProperty("stage", stage.stage());
        json.writeNumberProperty("group", stage.group());
        json.writeNumberProperty("busy_ratio", stage.busy());
        if (stage.slowest().isPresent()) {
            json.writeNumberProperty("slowest_rank", stage.slowest().getAsInt());
        } else {
            json.writeNullProperty("slowest_rank");
        }
        json.writeNumberProperty("imbalance_ratio", stage.imbalance());
        json.writeEndObject();
    }
}
