package org.maniple.serve.openai;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.maniple.api.engine.Engine;
import org.maniple.api.engine.Sampling;

/** {@code POST /v1/completions}. */
final class CompletionRoute {

    private static final String LIMIT = "max_tokens";
    private static final int DEFAULT_TOKENS = 16;

    private final Engine engine;
    private final ModelRoutes models;
    private final SamplingFields sampling;
    private final CompletionPrompts prompts;
    private final Runs runs;
    private final Workers workers;

    CompletionRoute(Engine engine, ModelRoutes models, SamplingFields sampling, CompletionPrompts prompts, Runs runs,
            Workers workers) {
        this.engine = engine;
        this.models = models;
        this.sampling = sampling;
        this.prompts = prompts;
        this.runs = runs;
        this.workers = workers;
    }

    Route route() {
        return Route.post("/v1/completions", true, this::handle);
    }

    private void handle(Exchange exchange, Fields fields) {
        models.check(fields);
        LaterFields.check(fields);
        ReplyOptions options = ReplyOptions.read(fields);
        int choices = SamplingFields.choices(fields);
        boolean echo = fields.flag("echo", false);
        ContextLimit limit = new ContextLimit(engine.model().maxModelLength(), "prompt");
        OptionalInt truncation = limit.truncation(fields);
        // With echo, 0 asks for nothing but the prompt and its log-probabilities.
        int asked = fields.integer(LIMIT, echo ? 0 : 1, Integer.MAX_VALUE).orElse(DEFAULT_TOKENS);
        OptionalInt maxTokens = OptionalInt.of(Math.max(1, asked));
        OptionalInt logprobs = fields.integer("logprobs", 0, SamplingFields.MAX_LOGPROBS);
        OptionalInt ownPromptLogprobs = fields.integer("prompt_logprobs", 0, SamplingFields.MAX_LOGPROBS);
        OptionalInt promptLogprobs = echo && logprobs.isPresent() ? larger(logprobs, ownPromptLogprobs) : ownPromptLogprobs;
        Sampling chosen = sampling.read(fields, maxTokens, logprobs, promptLogprobs, false);

        List<Prompt> given = prompts.read(fields);
        if (given.size() * choices > CompletionPrompts.MAX_PROMPTS) {
            throw fields.problem("n", "times the number of prompts is " + given.size() * choices + "; at most "
                    + CompletionPrompts.MAX_PROMPTS + " answers are generated for one request");
        }
        Treatment treatment = Treatment.read(exchange, fields);
        List<Run.Part> parts = new ArrayList<>();
        for (Prompt prompt : given) {
            int[] tokens = limit.fit(prompt.tokens(), truncation, maxTokens, LIMIT);
            Prompt fitting = new Prompt(tokens, tokens.length == prompt.tokens().length ? prompt.text() : Optional.empty());
            for (int i = 0; i < choices; i++) {
                parts.add(new Run.Part(
                        new Choice(parts.size(), fitting, new AnswerReader(AnswerReader.Plan.PLAIN), !options.stream()),
                        Seeds.shifted(chosen, i), treatment));
            }
        }
        TimeLimits limits = runs.limits(fields);
        long created = System.currentTimeMillis() / 1000;
        TokenTexts texts = new TokenTexts(engine.text(), options.tokensAsIds());
        runs.start("cmpl-" + ReplyIds.base(exchange, fields), id -> new Run(id, exchange,
                new CompletionFormat(new ReplyHead(id, created, models.shownName()), options, logprobs.isPresent(),
                        ownPromptLogprobs.isPresent(), echo, asked == 0, texts),
                options, parts, workers, limits, runs::ended));
    }

    private static OptionalInt larger(OptionalInt one, OptionalInt other) {
        return OptionalInt.of(Math.max(one.orElse(0), other.orElse(0)));
    }
}
