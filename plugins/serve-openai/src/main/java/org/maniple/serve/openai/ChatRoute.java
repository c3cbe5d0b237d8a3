package org.maniple.serve.openai;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.maniple.api.engine.Engine;
import org.maniple.api.engine.Sampling;
import org.maniple.api.text.TextCodec;

/** {@code POST /v1/chat/completions}. */
final class ChatRoute {

    private static final String OLD_LIMIT = "max_tokens";
    private static final String NEW_LIMIT = "max_completion_tokens";

    private final Engine engine;
    private final ModelRoutes models;
    private final SamplingFields sampling;
    private final ChatMessages messages;
    private final Runs runs;
    private final Workers workers;

    ChatRoute(Engine engine, ModelRoutes models, SamplingFields sampling, ChatMessages messages, Runs runs, Workers workers) {
        this.engine = engine;
        this.models = models;
        this.sampling = sampling;
        this.messages = messages;
        this.runs = runs;
        this.workers = workers;
    }

    Route route() {
        return Route.post("/v1/chat/completions", true, this::handle);
    }

    private void handle(Exchange exchange, Fields fields) {
        models.check(fields);
        LaterFields.check(fields);
        LaterFields.checkToolChoice(fields);
        ReplyOptions options = ReplyOptions.read(fields);
        int choices = SamplingFields.choices(fields);
        boolean echo = fields.flag("echo", false);
        ContextLimit limit = new ContextLimit(engine.model().maxModelLength(), "messages");
        OptionalInt truncation = limit.truncation(fields);
        OptionalInt maxTokens = maxTokens(fields);
        OptionalInt logprobs = logprobs(fields);
        OptionalInt promptLogprobs = fields.integer("prompt_logprobs", 0, SamplingFields.MAX_LOGPROBS);
        Sampling chosen = sampling.read(fields, maxTokens, logprobs, promptLogprobs);
        TextCodec codec = engine.text().orElseThrow(() -> ApiException.invalid("messages", "This server runs without a tokenizer"
                + " (skip-tokenizer-init), so it cannot read a chat; send token ids as `prompt` to /v1/completions, or start it with"
                + " the tokenizer."));
        ChatPrompt chat = ChatPrompt.of(fields, codec, messages);
        int[] tokens = limit.fit(codec.encode(chat.text(), chat.addSpecialTokens()), truncation, maxTokens,
                fields.has(NEW_LIMIT) ? NEW_LIMIT : OLD_LIMIT);
        Prompt prompt = new Prompt(tokens, Optional.of(chat.text()));
        OptionalInt group = PinnedGroup.read(exchange, fields);
        List<Run.Part> parts = new ArrayList<>();
        for (int i = 0; i < choices; i++) {
            parts.add(new Run.Part(new Choice(i, prompt), Seeds.shifted(chosen, i), group));
        }
        long created = System.currentTimeMillis() / 1000;
        TokenTexts texts = new TokenTexts(engine.text(), options.tokensAsIds());
        runs.start("chatcmpl-" + ReplyIds.base(exchange, fields), id -> new Run(id, exchange,
                new ChatFormat(new ReplyHead(id, created, models.shownName()), options, logprobs.isPresent(),
                        promptLogprobs.isPresent(), chat.role(), echo ? chat.echo() : "", texts),
                options, parts, workers, runs::ended));
    }

    private static OptionalInt maxTokens(Fields fields) {
        OptionalInt old = fields.integer(OLD_LIMIT, 1, Integer.MAX_VALUE);
        OptionalInt current = fields.integer(NEW_LIMIT, 1, Integer.MAX_VALUE);
        return current.isPresent() ? current : old;
    }

    private static OptionalInt logprobs(Fields fields) {
        boolean wanted = fields.flag("logprobs", false);
        OptionalInt top = fields.integer("top_logprobs", 0, SamplingFields.MAX_LOGPROBS);
        if (!wanted && top.orElse(0) > 0) {
            throw ApiException.invalid("top_logprobs", "when using `top_logprobs`, `logprobs` must be set to true.");
        }
        return wanted ? OptionalInt.of(top.orElse(0)) : OptionalInt.empty();
    }
}
