package org.maniple.serve.openai;

import java.util.List;
import java.util.Optional;
import org.maniple.api.engine.Engine;
import org.maniple.api.text.TextCodec;

/** {@code POST /tokenize} and {@code POST /detokenize}. */
final class TokenRoutes {

    private static final int MAX_TOKENS = 1_000_000;

    private final Engine engine;
    private final ModelRoutes models;
    private final ChatMessages messages;

    TokenRoutes(Engine engine, ModelRoutes models, ChatMessages messages) {
        this.engine = engine;
        this.models = models;
        this.messages = messages;
    }

    List<Route> routes() {
        return List.of(Route.post("/tokenize", true, this::tokenize), Route.post("/v1/tokenize", true, this::tokenize),
                Route.post("/detokenize", true, this::detokenize), Route.post("/v1/detokenize", true, this::detokenize));
    }

    private void tokenize(Exchange exchange, Fields fields) {
        models.check(fields);
        boolean spelled = fields.flag("return_token_strs", false);
        TextCodec codec = codec();
        int[] tokens = tokens(fields, codec);
        exchange.respond(200, json -> {
            json.writeStartObject();
            json.writeNumberProperty("count", tokens.length);
            json.writeNumberProperty("max_model_len", engine.model().maxModelLength());
            json.writeName("tokens");
            json.writeArray(tokens, 0, tokens.length);
            if (spelled) {
                json.writeArrayPropertyStart("token_strs");
                for (int token : tokens) {
                    json.writeString(codec.token(token).orElse(""));
                }
                json.writeEndArray();
            } else {
                json.writeNullProperty("token_strs");
            }
            json.writeEndObject();
        });
    }

    private int[] tokens(Fields fields, TextCodec codec) {
        if (fields.has("messages")) {
            LaterFields.check(fields);
            ChatPrompt chat = ChatPrompt.of(fields, codec, messages);
            return codec.encode(chat.text(), chat.addSpecialTokens());
        }
        Optional<String> prompt = fields.text("prompt");
        return codec.encode(prompt.orElseThrow(() -> fields.problem("prompt", "is missing; send a `prompt` or `messages`")),
                fields.flag("add_special_tokens", true));
    }

    private void detokenize(Exchange exchange, Fields fields) {
        models.check(fields);
        TextCodec codec = codec();
        int[] tokens = fields.tokenIds("tokens", MAX_TOKENS, engine.model().vocabulary())
                .orElseThrow(() -> fields.problem("tokens", "is missing; it must be a list of token ids"))
                .stream().mapToInt(Integer::intValue).toArray();
        exchange.respond(200, json -> {
            json.writeStartObject();
            String text = codec.decode(tokens, false);
            json.writeStringProperty("prompt", text);
            // What SGLang calls it.
            json.writeStringProperty("text", text);
            json.writeEndObject();
        });
    }

    private TextCodec codec() {
        return engine.text().orElseThrow(
                () -> ApiException.of(400,
                        "This server runs without a tokenizer (skip-tokenizer-init); start it with the tokenizer."));
    }
}
