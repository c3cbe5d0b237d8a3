package org.maniple.serve.openai;

/** {@code POST /v1/chat/completions}. */
final class ChatRoute {

    private final Chats chats;
    private final Chats.Dialect dialect;

    ChatRoute(Chats chats, ReasoningFields reasoning) {
        this.chats = chats;
        this.dialect = new Chats.Dialect("chatcmpl-", false, chat -> new ChatFormat(chat, reasoning));
    }

    Route route() {
        return Route.post("/v1/chat/completions", true, (exchange, fields) -> chats.start(exchange, fields, dialect));
    }
}
