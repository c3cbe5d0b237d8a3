package org.maniple.serve.openai;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Function;
import org.maniple.api.engine.Engine;
import org.maniple.api.engine.OutputConstraint;
import org.maniple.api.engine.Sampling;
import org.maniple.api.text.TextCodec;

/** Starts chats, for all routes that have some. A route translates what it is asked into the fields of a chat completion. */
final class Chats {

    /**
     * How a route answers.
     *
     * @param prefix what the ids of its replies begin with
     * @param kept whether also a stream ends with the whole answer
     * @param format writes the replies to one request
     */
    record Dialect(String prefix, boolean kept, Function<Chat, ReplyFormat> format) {}

    /**
     * A chat that is about to start.
     *
     * @param head what is the same in all parts of the reply
     * @param options what the client wants to see
     * @param prompt the rendered chat
     * @param promptTokens its length
     * @param logprobs whether log-probabilities are shown
     * @param promptLogprobs whether those of the prompt are shown, too
     * @param echo text that the new message begins with
     * @param texts how tokens are shown
     */
    record Chat(ReplyHead head, ReplyOptions options, ChatPrompt prompt, int promptTokens, boolean logprobs,
            boolean promptLogprobs, String echo, TokenTexts texts) {}

    private static final String OLD_LIMIT = "max_tokens";
    private static final String NEW_LIMIT = "max_completion_tokens";

    private final Engine engine;
    private final ModelRoutes models;
    private final SamplingFields sampling;
    private final ChatMessages messages;
    private final AnswerSyntax syntax;
    private final Runs runs;
    private final Workers workers;

    Chats(Engine engine, ModelRoutes models, SamplingFields sampling, ChatMessages messages, AnswerSyntax syntax, Runs runs,
            Workers workers) {
        this.engine = engine;
        this.models = models;
        this.sampling = sampling;
        this.messages = messages;
        this.syntax = syntax;
        this.runs = runs;
        this.workers = workers;
    }

    /**
     * Starts the chat of a request.
     *
     * @param fields as for {@code /v1/chat/completions}
     * @throws ApiException if the request is refused
     */
    void start(Exchange exchange, Fields fields, Dialect dialect) {
        models.check(fields);
        LaterFields.check(fields);
        ReplyOptions options = ReplyOptions.read(fields);
        int choices = SamplingFields.choices(fields);
        boolean echo = fields.flag("echo", false);
        ContextLimit limit = new ContextLimit(engine.model().maxModelLength(), "messages");
        OptionalInt truncation = limit.truncation(fields);
        OptionalInt maxTokens = maxTokens(fields);
        OptionalInt logprobs = logprobs(fields);
        OptionalInt promptLogprobs = fields.integer("prompt_logprobs", 0, SamplingFields.MAX_LOGPROBS);
        TextCodec codec = codec();
        List<Tool> tools = Tool.read(fields);
        ToolChoice choice = ToolChoice.read(fields, tools);
        AnswerReader.Plan wanted = syntax.plan(fields, codec, tools, choice);
        Sampling asked = forced(wanted, exchange.json(), sampling.read(fields, maxTokens, logprobs, promptLogprobs,
                AnswerSyntax.needsSpecialTokens(wanted, codec)));
        ChatPrompt chat = ChatPrompt.of(fields, codec, messages);
        AnswerReader.Plan reading = asked.constraint().isPresent() ? wanted.constrainedAfter(chat) : wanted.after(chat);
        Sampling chosen = asked.withConstraint(asked.constraint().map(reading::behindReasoning));
        int[] tokens = limit.fit(codec.encode(chat.text(), chat.addSpecialTokens()), truncation, maxTokens,
                fields.has(NEW_LIMIT) ? NEW_LIMIT : OLD_LIMIT);
        Prompt prompt = new Prompt(tokens, Optional.of(chat.text()));
        Treatment treatment = Treatment.read(exchange, fields);
        List<Run.Part> parts = new ArrayList<>();
        for (int i = 0; i < choices; i++) {
            Choice answer = new Choice(i, prompt, new AnswerReader(reading), dialect.kept() || !options.stream());
            parts.add(new Run.Part(answer, Seeds.shifted(chosen, i), treatment));
        }
        TimeLimits limits = runs.limits(fields);
        long created = System.currentTimeMillis() / 1000;
        TokenTexts texts = new TokenTexts(engine.text(), options.tokensAsIds());
        runs.start(dialect.prefix() + ReplyIds.base(exchange, fields), id -> new Run(id, exchange,
                dialect.format().apply(new Chat(new ReplyHead(id, created, models.shownName()), options, chat, tokens.length,
                        logprobs.isPresent(), promptLogprobs.isPresent(), echo ? chat.echo() : "", texts)),
                options, parts, workers, limits, runs::ended));
    }

    /** The number of tokens of a chat's prompt. */
    int count(Fields fields) {
        models.check(fields);
        LaterFields.check(fields);
        Tool.read(fields);
        TextCodec codec = codec();
        ChatPrompt chat = ChatPrompt.of(fields, codec, messages);
        return codec.encode(chat.text(), chat.addSpecialTokens()).length;
    }

    /** Has the output be what the calls that are wanted need it to be. */
    private static Sampling forced(AnswerReader.Plan plan, Json json, Sampling sampling) {
        Optional<OutputConstraint> calls = plan.calls().flatMap(format -> format.schema(plan.tools()))
                .map(schema -> new OutputConstraint.Schema(
                        new String(json.bytes(out -> JsonValue.write(out, schema)), StandardCharsets.UTF_8), false));
        if (calls.isEmpty()) {
            return sampling;
        }
        if (sampling.constraint().isPresent()) {
            throw ApiException.invalid("tool_choice",
                    "A call that `tool_choice` demands cannot have the form that `response_format` or another field demands; ask for one"
                            + " of them.");
        }
        return sampling.withConstraint(calls);
    }

    private TextCodec codec() {
        return engine.text().orElseThrow(() -> ApiException.invalid("messages", "This server runs without a tokenizer"
                + " (skip-tokenizer-init), so it cannot read a chat; send token ids as `prompt` to /v1/completions, or start it with"
                + " the tokenizer."));
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
