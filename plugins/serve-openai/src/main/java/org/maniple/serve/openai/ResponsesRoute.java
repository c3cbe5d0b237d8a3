package org.maniple.serve.openai;

import java.util.List;

/** {@code POST /v1/responses}. Responses are not stored, so that there is nothing to ask for later. */
final class ResponsesRoute {

    private static final String PATH = "/v1/responses";
    private static final String CANCEL = "/cancel";

    private final Chats chats;
    private final Runs runs;

    ResponsesRoute(Chats chats, Runs runs) {
        this.chats = chats;
        this.runs = runs;
    }

    List<Route> routes() {
        return List.of(
                Route.post(PATH, true, this::create),
                Route.get(PATH + "/*", (exchange, fields) -> {
                    throw notStored(id(exchange));
                }),
                Route.action(PATH + "/*", this::cancel));
    }

    private void create(Exchange exchange, Fields fields) {
        chats.start(exchange, ResponsesRequest.read(fields),
                new Chats.Dialect("resp_", true, chat -> new ResponsesFormat(chat, fields)));
    }

    private void cancel(Exchange exchange, Fields fields) {
        String path = id(exchange);
        if (!path.endsWith(CANCEL)) {
            throw ApiException.of(404, "There is nothing to post at " + ApiException.shown(PATH + "/" + path) + ".");
        }
        String id = path.substring(0, path.length() - CANCEL.length());
        if (runs.cancel(id) == 0) {
            throw notStored(id);
        }
        exchange.respond(200, json -> {
            json.writeStartObject();
            json.writeStringProperty("id", id);
            json.writeStringProperty("object", "response");
            json.writeStringProperty("status", "cancelled");
            json.writeEndObject();
        });
    }

    private static String id(Exchange exchange) {
        return HttpTarget.path(exchange.head().uri()).substring(PATH.length() + 1);
    }

    private static ApiException notStored(String id) {
        return ApiException.of(404, "Response with id '" + ApiException.shown(id)
                + "' not found: responses are not stored by this server; only one that is being generated can be cancelled.");
    }
}
