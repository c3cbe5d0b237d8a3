package org.maniple.serve.openai;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import org.maniple.api.engine.Engine;
import org.maniple.api.engine.Sampling;

/** SGLang's {@code POST /generate}, as its router and frameworks for reinforcement learning ask it. */
final class GenerateRoute {

    private static final String TEXT = "text";
    private static final String IDS = "input_ids";
    private static final int DEFAULT_TOKENS = 128;
    /** What SGLang calls other than vLLM does. */
    private static final Map<String, String> NAMES = Map.of("min_new_tokens", "min_tokens", "sampling_seed", "seed");
    private static final String LIMIT = "max_new_tokens";

    private final Engine engine;
    private final ModelRoutes models;
    private final SamplingFields sampling;
    private final Runs runs;
    private final Workers workers;

    GenerateRoute(Engine engine, ModelRoutes models, SamplingFields sampling, Runs runs, Workers workers) {
        this.engine = engine;
        this.models = models;
        this.sampling = sampling;
        this.runs = runs;
        this.workers = workers;
    }

    Route route() {
        return Route.post("/generate", true, this::handle);
    }

    private void handle(Exchange exchange, Fields fields) {
        models.check(fields);
        LaterFields.check(fields);
        Fields params = params(fields);
        LaterFields.check(params);
        boolean stream = fields.flag("stream", false);
        boolean logprobs = fields.flag("return_logprob", false);
        OptionalInt top = OptionalInt.of(fields.integer("top_logprobs_num", 0, SamplingFields.MAX_LOGPROBS).orElse(0));
        int start = fields.integer("logprob_start_len", -1, Integer.MAX_VALUE).orElse(-1);
        boolean prompts = logprobs && start >= 0;
        boolean texts = fields.flag("return_text_in_logprobs", false);
        int choices = SamplingFields.choices(params);
        OptionalInt maxTokens = OptionalInt.of(params.integer(LIMIT, 1, Integer.MAX_VALUE).orElse(DEFAULT_TOKENS));
        Sampling chosen = sampling.read(params, maxTokens, logprobs ? top : OptionalInt.empty(),
                prompts ? top : OptionalInt.empty(), false);

        if (fields.has(TEXT) == fields.has(IDS)) {
            throw fields.problem(TEXT, "or `" + IDS + "` must be given, and not both");
        }
        String field = fields.has(TEXT) ? TEXT : IDS;
        List<Prompt> given = new CompletionPrompts(field, CompletionPrompts.MAX_PROMPTS, engine.text(),
                engine.model().vocabulary())
                .read(fields);
        if (given.size() * choices > CompletionPrompts.MAX_PROMPTS) {
            throw params.problem("n", "times the number of prompts is " + given.size() * choices + "; at most "
                    + CompletionPrompts.MAX_PROMPTS + " answers are generated for one request");
        }
        ContextLimit limit = new ContextLimit(engine.model().maxModelLength(), field);
        Treatment treatment = Treatment.read(exchange, fields);
        List<Run.Part> parts = new ArrayList<>();
        for (Prompt prompt : given) {
            Prompt fitting = new Prompt(limit.fit(prompt.tokens(), OptionalInt.empty(), maxTokens, LIMIT), prompt.text());
            for (int i = 0; i < choices; i++) {
                parts.add(new Run.Part(new Choice(parts.size(), fitting, new AnswerReader(AnswerReader.Plan.PLAIN), true),
                        Seeds.shifted(chosen, i), treatment));
            }
        }
        boolean several = choices > 1 || isSeveral(fields.raw(field));
        var options = new ReplyOptions(stream, false, false, false, false);
        TimeLimits limits = runs.limits(fields);
        TokenTexts shown = new TokenTexts(engine.text(), false);
        long begun = System.nanoTime();
        runs.start(ReplyIds.base(exchange, fields), id -> new Run(id, exchange,
                new GenerateFormat(id, several, logprobs, prompts ? OptionalInt.of(start) : OptionalInt.empty(),
                        top.getAsInt() > 0,
                        texts ? Optional.of(shown) : Optional.empty(), begun),
                options, parts, workers, limits, runs::ended));
    }

    /** Lists of texts or of lists of ids ask for a list of answers, however many there are. */
    private static boolean isSeveral(@Nullable Object given) {
        return given instanceof List<?> list && !(list.getFirst() instanceof Number);
    }

    private static Fields params(Fields fields) {
        Map<String, @Nullable Object> translated = new LinkedHashMap<>();
        fields.object("sampling_params").ifPresent(
                given -> given.all().forEach((name, value) -> translated.put(NAMES.getOrDefault(name, name), value)));
        return new Fields(translated);
    }
}
