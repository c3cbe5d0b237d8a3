package org.maniple.serve.openai;

import java.util.List;
import org.maniple.api.config.Option;
import org.maniple.api.config.OptionType;

/** The configuration keys of this plugin. */
final class OpenAiOptions {

    static final String API_KEY = "api-key";
    static final String API_KEY_FILE = "api-key-file";
    static final String METRICS_WITHOUT_KEY = "metrics-without-key";
    static final String TRACES = "otlp-traces-endpoint";
    static final String MAX_BODY = "http-max-body-size";
    static final String AUTO_TOOL_CHOICE = "enable-auto-tool-choice";
    static final String TOOL_CALL_PARSER = "tool-call-parser";
    static final String REASONING_PARSER = "reasoning-parser";
    static final String REASONING_FIELDS = "reasoning-fields";

    private OpenAiOptions() {}

    static List<Option> all() {
        // Only rank 0 serves, so the other ranks need not have them; and a key must not travel between ranks.
        return List.of(
                Option.of(API_KEY, OptionType.TEXT,
                        "Key that clients must send as 'Authorization: Bearer KEY' to all but the health"
                                + " routes; prefer " + API_KEY_FILE + ", since command lines are visible to others.")
                        .asLocal(),
                Option.of(API_KEY_FILE, OptionType.TEXT,
                        "File with such keys, one on each line; lines that begin with # are skipped.")
                        .asLocal(),
                Option.of(METRICS_WITHOUT_KEY, OptionType.BOOLEAN,
                        "Answer /metrics without a key too, for collectors that cannot send one.")
                        .withDefault("false").asLocal(),
                Option.of(TRACES, OptionType.TEXT,
                        "Where spans of requests are sent by OTLP over HTTP in JSON, for example http://127.0.0.1:4318.")
                        .asLocal(),
                Option.of(MAX_BODY, OptionType.BYTES, "Size of the longest request body that is accepted, in bytes.")
                        .withDefault("8MiB").withMinimum(1024).asLocal(),
                Option.of(AUTO_TOOL_CHOICE, OptionType.BOOLEAN,
                        "Whether calls of tools are found in what the model says by itself; needs " + TOOL_CALL_PARSER + ".")
                        .withDefault("false").asLocal(),
                Option.of(TOOL_CALL_PARSER, OptionType.TEXT, "How the model writes calls of tools.")
                        .withChoices(AnswerSyntax.callNames().toArray(String[]::new)).asLocal(),
                Option.of(REASONING_PARSER, OptionType.TEXT,
                        "How the model writes what it thinks before it answers; without it that is a part of the answer.")
                        .withChoices(AnswerSyntax.reasoningNames().toArray(String[]::new)).asLocal(),
                Option.of(REASONING_FIELDS, OptionType.TEXT,
                        "What the reasoning is called in chat completions: vLLM's new name, its old one, or both.")
                        .withDefault("both").withChoices("both", "reasoning", "reasoning_content").asLocal());
    }
}
