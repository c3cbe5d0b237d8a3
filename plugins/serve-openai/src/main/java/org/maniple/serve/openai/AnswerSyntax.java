package org.maniple.serve.openai;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.maniple.api.ManipleException;
import org.maniple.api.config.Settings;
import org.maniple.api.text.TextCodec;

/**
 * How the model of a server writes reasoning and calls, as its configuration says.
 *
 * @param calls the form of calls, if one was chosen
 * @param auto whether calls are looked for where a request leaves them to the model
 * @param reasoning the form of reasoning, if one was chosen
 */
record AnswerSyntax(Optional<ToolCallFormat> calls, boolean auto, Optional<ReasoningFormat> reasoning) {

    private static final ReasoningFormat THINK = new ReasoningFormat("<think>", "</think>", false);

    /** The names of {@code reasoning-parser}; SGLang's spellings are among them. */
    private static final Map<String, ReasoningFormat> REASONING = reasonings();

    /** The names of {@code tool-call-parser}; SGLang's spellings are among them. */
    static List<String> callNames() {
        return List.of("deepseek_v3", "deepseek_v31", "deepseekv3", "deepseekv31", "hermes", "llama3", "llama3_json", "mistral",
                "qwen", "qwen25", "qwen3_coder");
    }

    static List<String> reasoningNames() {
        return List.copyOf(REASONING.keySet());
    }

    private static Map<String, ReasoningFormat> reasonings() {
        Map<String, ReasoningFormat> byName = new LinkedHashMap<>();
        byName.put("deepseek_r1", new ReasoningFormat("<think>", "</think>", true));
        byName.put("deepseek-r1", new ReasoningFormat("<think>", "</think>", true));
        byName.put("deepseek_v3", THINK);
        byName.put("deepseek-v3", THINK);
        byName.put("glm45", THINK);
        byName.put("mistral", new ReasoningFormat("[THINK]", "[/THINK]", false));
        byName.put("qwen3", THINK);
        return byName;
    }

    /**
     * Reads a configuration.
     *
     * @throws ManipleException if its parts contradict each other
     */
    static AnswerSyntax of(Settings settings, Json json) {
        Optional<ToolCallFormat> calls = settings.optionalText(OpenAiOptions.TOOL_CALL_PARSER).map(name -> format(name, json));
        boolean auto = settings.flag(OpenAiOptions.AUTO_TOOL_CHOICE);
        if (auto && calls.isEmpty()) {
            throw new ManipleException("--" + OpenAiOptions.AUTO_TOOL_CHOICE + " requires --" + OpenAiOptions.TOOL_CALL_PARSER
                    + ": say how the model writes calls, with one of " + callNames());
        }
        return new AnswerSyntax(calls, auto, settings.optionalText(OpenAiOptions.REASONING_PARSER).map(REASONING::get));
    }

    private static ToolCallFormat format(String name, Json json) {
        return switch (name) {
            case "hermes", "qwen", "qwen25" -> new HermesFormat();
            case "llama3", "llama3_json" -> new LlamaFormat();
            case "mistral" -> new MistralFormat();
            case "qwen3_coder" -> new QwenCoderFormat(json);
            case "deepseek_v3", "deepseek_v31", "deepseekv3", "deepseekv31" -> new DeepSeekFormat();
            default ->
                throw new ManipleException(OpenAiOptions.TOOL_CALL_PARSER + " [" + name + "] is not one of " + callNames());
        };
    }

    /**
     * How an answer is to be read; whether it begins inside of a reasoning shows when there is a prompt.
     *
     * @param tools the request's tools
     * @param choice which of them may be called
     * @throws ApiException 400 if the request wants what the configuration does not allow
     */
    AnswerReader.Plan plan(Fields fields, TextCodec codec, List<Tool> tools, ToolChoice choice) {
        Optional<ReasoningFormat> used = fields.flag("separate_reasoning", true) ? reasoning : Optional.empty();
        boolean parallel = fields.flag("parallel_tool_calls", true);
        Optional<ToolCallFormat> format = switch (choice) {
            case ToolChoice.None() -> Optional.empty();
            case ToolChoice.Auto(boolean asked) -> autoFormat(asked);
            case ToolChoice.Required() -> Optional.of(new ForcedFormat(parallel));
            case ToolChoice.Named(Tool tool) -> Optional.of(new NamedFormat(tool));
        };
        return new AnswerReader.Plan(used, false, fields.flag("include_reasoning", true), format, tools, parallel,
                id(codec, used.map(ReasoningFormat::begin)), id(codec, used.map(ReasoningFormat::end)));
    }

    /** Whether the tokenizer would hide a mark that has to be seen. */
    static boolean needsSpecialTokens(AnswerReader.Plan plan, TextCodec codec) {
        Stream<String> marks = Stream.concat(plan.reasoning().stream().flatMap(format -> format.marks().stream()),
                plan.calls().stream().flatMap(format -> format.marks().stream()));
        return marks.anyMatch(mark -> codec.id(mark).isPresent() && codec.special(codec.id(mark).getAsInt()));
    }

    /** Without a parser the calls stay in the content, where a client may find them. */
    private Optional<ToolCallFormat> autoFormat(boolean asked) {
        if (asked && calls.isPresent() && !auto) {
            throw ApiException.invalid("tool_choice",
                    "\"auto\" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set");
        }
        return auto ? calls : Optional.empty();
    }

    private static OptionalInt id(TextCodec codec, Optional<String> mark) {
        return mark.map(codec::id).orElse(OptionalInt.empty());
    }
}
