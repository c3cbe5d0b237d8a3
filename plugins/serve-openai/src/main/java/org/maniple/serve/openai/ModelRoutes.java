package org.maniple.serve.openai;

import java.util.List;
import java.util.Optional;
import org.maniple.api.engine.ModelInfo;
import tools.jackson.core.JsonGenerator;

/** The models that are served, and which of them a request means. */
final class ModelRoutes {

    private static final String ONE = "/v1/models/";

    private final ModelInfo model;
    private final long created;

    /**
     * The routes for a model.
     *
     * @param created when the server began, in seconds since 1970
     */
    ModelRoutes(ModelInfo model, long created) {
        this.model = model;
        this.created = created;
    }

    List<Route> routes() {
        return List.of(Route.get("/v1/models", this::list), Route.get(ONE + "*", this::one));
    }

    /**
     * Checks the field {@code model}; it may be absent.
     *
     * @throws ApiException 404 if it names a model that is not served
     */
    void check(Fields fields) {
        Optional<String> asked = fields.text("model");
        if (asked.isPresent() && !model.names().contains(asked.get())) {
            throw ApiException.unknownModel(asked.get());
        }
    }

    /** The name that answers show. */
    String shownName() {
        return model.names().getFirst();
    }

    private void list(Exchange exchange, Fields fields) {
        exchange.respond(200, json -> {
            json.writeStartObject();
            json.writeStringProperty("object", "list");
            json.writeArrayPropertyStart("data");
            model.names().forEach(name -> write(json, name));
            json.writeEndArray();
            json.writeEndObject();
        });
    }

    private void one(Exchange exchange, Fields fields) {
        String name = HttpTarget.path(exchange.head().uri()).substring(ONE.length());
        if (!model.names().contains(name)) {
            throw ApiException.unknownModel(name);
        }
        exchange.respond(200, json -> write(json, name));
    }

    private void write(JsonGenerator json, String name) {
        json.writeStartObject();
        json.writeStringProperty("id", name);
        json.writeStringProperty("object", "model");
        json.writeNumberProperty("created", created);
        json.writeStringProperty("owned_by", "maniple");
        json.writeStringProperty("root", model.path());
        json.writeNullProperty("parent");
        json.writeNumberProperty("max_model_len", model.maxModelLength());
        json.writeArrayPropertyStart("permission");
        json.writeStartObject();
        json.writeStringProperty("id", "modelperm-" + Integer.toHexString(name.hashCode()));
        json.writeStringProperty("object", "model_permission");
        json.writeNumberProperty("created", created);
        json.writeBooleanProperty("allow_create_engine", false);
        json.writeBooleanProperty("allow_sampling", true);
        json.writeBooleanProperty("allow_logprobs", true);
        json.writeBooleanProperty("allow_search_indices", false);
        json.writeBooleanProperty("allow_view", true);
        json.writeBooleanProperty("allow_fine_tuning", false);
        json.writeStringProperty("organization", "*");
        json.writeNullProperty("group");
        json.writeBooleanProperty("is_blocking", false);
        json.writeEndObject();
        json.writeEndArray();
        json.writeEndObject();
    }
}
