package org.maniple.serve.openai;

import java.util.List;

/** Anthropic's {@code POST /v1/messages} and {@code POST /v1/messages/count_tokens}. */
final class MessagesRoute {

    private final Chats chats;
    private final Chats.Dialect dialect;

    MessagesRoute(Chats chats, Json json) {
        this.chats = chats;
        this.dialect = new Chats.Dialect("msg_", false, chat -> new MessagesFormat(chat, json));
    }

    List<Route> routes() {
        return List.of(
                Route.post("/v1/messages", true,
                        (exchange, fields) -> chats.start(exchange, MessagesRequest.read(fields, false), dialect))
                        .withErrors(ErrorShape.ANTHROPIC),
                Route.post("/v1/messages/count_tokens", true, this::count).withErrors(ErrorShape.ANTHROPIC));
    }

    private void count(Exchange exchange, Fields fields) {
        int tokens = chats.count(MessagesRequest.read(fields, true));
        exchange.respond(200, json -> {
            json.writeStartObject();
            json.writeNumberProperty("input_tokens", tokens);
            json.writeEndObject();
        });
    }
}
