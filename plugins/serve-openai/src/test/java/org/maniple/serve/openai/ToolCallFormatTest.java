package org.maniple.serve.openai;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What models write, and what is read from it, however it is cut. */
class ToolCallFormatTest {

    private static final Tool WEATHER = new Tool("get_weather",
            schema(Map.of("city", "string", "days", "integer", "detail", "boolean",
                    "where", "object", "tags", "array", "max", "number")));
    private static final Tool ADD = new Tool("add", schema(Map.of("a", "integer", "b", "integer")));
    private static final ToolCallFormat HERMES = new HermesFormat();
    private static final ToolCallFormat LLAMA = new LlamaFormat();
    private static final ToolCallFormat MISTRAL = new MistralFormat();
    private static final ToolCallFormat DEEPSEEK = new DeepSeekFormat();
    private static final ToolCallFormat CODER = new QwenCoderFormat(new Json());
    private static final ToolCallFormat FORCED = new ForcedFormat(true);
    private static final ToolCallFormat NAMED = new NamedFormat(WEATHER);

    /** A text and what it is read as; null is no content. */
    record Golden(String name, ToolCallFormat format, String text, String content, String... calls) {

        @Override
        public String toString() {
            return format.getClass().getSimpleName() + ": " + name;
        }
    }

    private static Map<String, Object> schema(Map<String, String> types) {
        Map<String, Object> properties = new LinkedHashMap<>();
        types.forEach((name, type) -> properties.put(name, Map.of("type", type)));
        return Map.of("type", "object", "properties", properties);
    }

    static List<Golden> goldens() {
        List<Golden> all = new ArrayList<>();
        hermes(all);
        llama(all);
        deepSeek(all);
        mistral(all);
        coder(all);
        forced(all);
        return all;
    }

    private static void hermes(List<Golden> all) {
        all.add(new Golden("one call", HERMES, """
                <tool_call>
                {"name": "get_weather", "arguments": {"city": "Zürich", "unit": "celsius"}}
                </tool_call>""", null, "get_weather{\"city\": \"Zürich\", \"unit\": \"celsius\"}"));
        all.add(new Golden("text before, between and after", HERMES, """
                Let me look.

                <tool_call>
                {"name": "add", "arguments": {"a": 1, "b": [2, {"c": "}"}]}}
                </tool_call>
                And:
                <tool_call>{"name": "add", "arguments": {}}</tool_call>
                 Done.
                """, "Let me look.\nAnd:\n Done.", "add{\"a\": 1, \"b\": [2, {\"c\": \"}\"}]}", "add{}"));
        all.add(new Golden("two calls", HERMES, """

                <tool_call>
                {"name": "get_weather", "arguments": {"city": "東京 🌍"}}
                </tool_call>
                <tool_call>
                {"name": "add", "arguments": {"a": -1.5e3, "b": null}}
                </tool_call>
                """, null, "get_weather{\"city\": \"東京 🌍\"}", "add{\"a\": -1.5e3, \"b\": null}"));
        all.add(new Golden("arguments first", HERMES,
                "<tool_call>{\"id\": [1], \"arguments\": {\"a\": \"\\\"<tool_call>\\\\\"}, \"name\": \"a\\u0064d\"}</tool_call>",
                null,
                "add{\"a\": \"\\\"<tool_call>\\\\\"}"));
        all.add(new Golden("a tag inside of a string", HERMES,
                "<tool_call>{\"name\":\"add\",\"arguments\":{\"a\":\"</tool_call>\"}}</tool_call>", null,
                "add{\"a\":\"</tool_call>\"}"));
        all.add(new Golden("arguments as a string", HERMES,
                "<tool_call>{\"name\": \"add\", \"arguments\": \"{\\\"a\\\": \\\"\\ud83c\\udf0d\\n\\\"}\"}</tool_call>", null,
                "add{\"a\": \"🌍\n\"}"));
        all.add(new Golden("line breaks inside of a string", HERMES,
                "<tool_call>{\"name\": \"add\", \"arguments\": {\"a\": \"x\n\ty\"}}</tool_call>", null,
                "add{\"a\": \"x\\n\\ty\"}"));
        all.add(new Golden("no arguments", HERMES, "<tool_call>{\"name\": \"add\"}</tool_call>", null, "add{}"));
        all.add(new Golden("null as arguments", HERMES, "<tool_call>{\"name\": \"add\", \"arguments\": null}</tool_call>", null,
                "add{}"));
        all.add(new Golden("an unknown tool", HERMES, "<tool_call>{\"name\": \"sub\", \"arguments\": {\"a\": 1}}</tool_call>",
                null,
                "sub{\"a\": 1}"));
        all.add(new Golden("a missing brace", HERMES,
                "<tool_call>{\"name\": \"add\", \"arguments\": {\"a\": 1}</tool_call><tool_call>{\"name\": \"add\"}</tool_call>",
                null,
                "add{\"a\": 1}", "add{}"));
        all.add(new Golden("no closing tag", HERMES, "<tool_call>{\"name\": \"add\", \"arguments\": {\"a\": 1}}", null,
                "add{\"a\": 1}"));
        all.add(new Golden("unfinished in the arguments", HERMES, "<tool_call>{\"name\": \"add\", \"arguments\": {\"a\": \"x",
                null,
                "add{\"a\": \"x"));
        all.add(new Golden("unfinished in the name", HERMES, "Hm <tool_call>\n{\"name\": \"ad",
                "Hm <tool_call>\n{\"name\": \"ad"));
        all.add(new Golden("unfinished tag", HERMES, "Hm <tool_ca", "Hm <tool_ca"));
        all.add(new Golden("no JSON", HERMES, "<tool_call>\nadd(1)\n</tool_call>", "<tool_call>\nadd(1)\n</tool_call>"));
        all.add(new Golden("no name", HERMES, "<tool_call>{\"arguments\": {}}</tool_call> \n",
                "<tool_call>{\"arguments\": {}}</tool_call> \n"));
        all.add(new Golden("a stray closing tag", HERMES, "a</tool_call>b", "a</tool_call>b"));
        all.add(new Golden("plain text", HERMES, "  1 < 2 && <b>\n\n<tool>  ", "  1 < 2 && <b>\n\n<tool>  "));
        all.add(new Golden("nothing", HERMES, "", null));
    }

    private static void llama(List<Golden> all) {
        all.add(new Golden("one call", LLAMA, "{\"name\": \"get_weather\", \"parameters\": {\"city\": \"Zürich\"}}", null,
                "get_weather{\"city\": \"Zürich\"}"));
        all.add(new Golden("after the tag", LLAMA, "<|python_tag|>{\"name\": \"add\", \"parameters\": {\"a\": 1}}", null,
                "add{\"a\": 1}"));
        all.add(new Golden("several", LLAMA,
                "\n{\"name\": \"add\", \"parameters\": {\"a\": 1}}; {\"type\": \"function\", \"name\": \"add\", \"arguments\": {\"a\": 2}}\n",
                null,
                "add{\"a\": 1}", "add{\"a\": 2}"));
        all.add(new Golden("text after", LLAMA,
                "{\"name\": \"add\", \"parameters\": {}} <- that; {\"name\": \"add\", \"parameters\": {}}",
                " <- that; {\"name\": \"add\", \"parameters\": {}}", "add{}"));
        all.add(new Golden("an answer in JSON", LLAMA, "{\"name\": \"Bob\", \"parameters\": {}}",
                "{\"name\": \"Bob\", \"parameters\": {}}"));
        all.add(new Golden("a tool's name alone", LLAMA, "{\"name\": \"add\"} ", "{\"name\": \"add\"} "));
        all.add(new Golden("text before", LLAMA, "Sure: {\"name\": \"add\", \"parameters\": {}}",
                "Sure: {\"name\": \"add\", \"parameters\": {}}"));
        all.add(new Golden("the tag without JSON", LLAMA, "<|python_tag|>search.call(query=\"x\")",
                "<|python_tag|>search.call(query=\"x\")"));
        all.add(new Golden("nearly a tag", LLAMA, "<<|python", "<<|python"));
        all.add(new Golden("unfinished", LLAMA, "{\"name\": \"add\", \"parameters\": {\"a\": [", null, "add{\"a\": ["));
        all.add(new Golden("unfinished too early", LLAMA, "<|python_tag|>{\"name\": \"add\", \"para",
                "<|python_tag|>{\"name\": \"add\", \"para"));
        all.add(new Golden("broken after the arguments", LLAMA, "{\"name\": \"add\", \"parameters\": {}, oh", "oh", "add{}"));
        all.add(new Golden("white space alone", LLAMA, " \n", " \n"));
    }

    private static void deepSeek(List<Golden> all) {
        all.add(new Golden("one call of V3", DEEPSEEK, """
                Let me look.<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>get_weather
                ```json
                {"city": "Zürich"}
                ```<｜tool▁call▁end｜><｜tool▁calls▁end｜>""", "Let me look.", "get_weather{\"city\": \"Zürich\"}"));
        all.add(new Golden("two calls of V3", DEEPSEEK, """
                <｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>get_weather
                ```json
                {"city": "```"}
                ```<｜tool▁call▁end｜>
                <｜tool▁call▁begin｜>function<｜tool▁sep｜>add
                ```json
                {
                  "a": 1
                }
                ```<｜tool▁call▁end｜><｜tool▁calls▁end｜>
                """, null, "get_weather{\"city\": \"```\"}", "add{\n  \"a\": 1\n}"));
        all.add(new Golden("two calls of V3.1", DEEPSEEK,
                "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>get_weather<｜tool▁sep｜>{\"city\": \"東京\"}<｜tool▁call▁end｜>"
                        + "<｜tool▁call▁begin｜>add<｜tool▁sep｜>{}<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
                null, "get_weather{\"city\": \"東京\"}", "add{}"));
        all.add(new Golden("without the outer marks", DEEPSEEK,
                "<｜tool▁call▁begin｜>add<｜tool▁sep｜>{\"a\": 1}<｜tool▁call▁end｜>", null, "add{\"a\": 1}"));
        all.add(new Golden("text after", DEEPSEEK,
                "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>add<｜tool▁sep｜>{}<｜tool▁call▁end｜><｜tool▁calls▁end｜>\n\nDone.",
                "\n\nDone.", "add{}"));
        all.add(new Golden("unfinished in the arguments", DEEPSEEK,
                "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>add\n```json\n{\"a\": 1, ", null, "add{\"a\": 1, "));
        all.add(new Golden("unfinished in the name", DEEPSEEK, "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>ad",
                "<｜tool▁call▁begin｜>function<｜tool▁sep｜>ad"));
        all.add(new Golden("no arguments", DEEPSEEK, "<｜tool▁call▁begin｜>add<｜tool▁call▁end｜>ok", "<｜tool▁call▁begin｜>addok"));
        all.add(new Golden("a brace too few", DEEPSEEK,
                "<｜tool▁call▁begin｜>add<｜tool▁sep｜>{\"a\": {<｜tool▁call▁end｜><｜tool▁call▁begin｜>add<｜tool▁sep｜>{}<｜tool▁call▁end｜>",
                null,
                "add{\"a\": {", "add{}"));
        all.add(new Golden("plain text", DEEPSEEK, "｜<｜tool｜> ", "｜<｜tool｜> "));
    }

    private static void mistral(List<Golden> all) {
        all.add(new Golden("one call", MISTRAL,
                "[TOOL_CALLS][{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Zürich\"}, \"id\": \"abcDEF123\"}]",
                null, "get_weather{\"city\": \"Zürich\"}"));
        all.add(new Golden("two calls after text", MISTRAL,
                "Well [1]: [TOOL_CALLS] [{\"name\": \"add\", \"arguments\": {\"a\": 1}}, {\"arguments\": {}, \"name\": \"add\"}]\n",
                "Well [1]:",
                "add{\"a\": 1}", "add{}"));
        all.add(new Golden("names before arguments", MISTRAL,
                "[TOOL_CALLS]get_weather{\"city\": \"x\"}[TOOL_CALLS]add[ARGS]{\"a\": 1}[TOOL_CALLS]add[CALL_ID]abcDEF123[ARGS]{}",
                null,
                "get_weather{\"city\": \"x\"}", "add{\"a\": 1}", "add{}"));
        all.add(new Golden("no name", MISTRAL, "[TOOL_CALLS][{\"arguments\": {}}] x", "[TOOL_CALLS][{\"arguments\": {}}] x"));
        all.add(new Golden("a second one without a name", MISTRAL, "[TOOL_CALLS][{\"name\": \"add\"}, {\"x\": 1}]", "{\"x\": 1}]",
                "add{}"));
        all.add(new Golden("no call at all", MISTRAL, "[TOOL_CALLS] I would call add {\"a\": 1}",
                "[TOOL_CALLS] I would call add {\"a\": 1}"));
        all.add(new Golden("an empty list", MISTRAL, "[TOOL_CALLS][]", null));
        all.add(new Golden("unfinished", MISTRAL, "[TOOL_CALLS][{\"name\": \"add\", \"arguments\": {\"a\": ", null,
                "add{\"a\": "));
        all.add(new Golden("unfinished too early", MISTRAL, "[TOOL_CALLS][{\"na", "[TOOL_CALLS][{\"na"));
        all.add(new Golden("an unfinished name", MISTRAL, "[TOOL_CALLS]get_wea", "[TOOL_CALLS]get_wea"));
        all.add(new Golden("plain text", MISTRAL, "[[TOOL] [x", "[[TOOL] [x"));
    }

    private static void coder(List<Golden> all) {
        all.add(new Golden("one call", CODER, """
                I look.
                <tool_call>
                <function=get_weather>
                <parameter=city>
                Zürich "HB"
                line two

                </parameter>
                <parameter=days>
                3
                </parameter>
                <parameter=detail>
                True
                </parameter>
                <parameter=where>
                {"lat": 1}
                </parameter>
                <parameter=max>many</parameter>
                <parameter=other><b></parameter>
                </function>
                </tool_call>""", "I look.",
                "get_weather{\"city\": \"Zürich \\\"HB\\\"\\nline two\\n\", \"days\": 3, \"detail\": true,"
                        + " \"where\": {\"lat\": 1}, \"max\": \"many\", \"other\": \"<b>\"}"));
        all.add(new Golden("two calls", CODER, """
                <tool_call>
                <function=add>
                </function>
                </tool_call>
                <tool_call>
                <function=add>
                <parameter=a>
                </parameter>
                <parameter=b>
                null
                </parameter>
                </function>
                </tool_call>
                """, null, "add{}", "add{\"a\": \"\", \"b\": null}"));
        all.add(new Golden("without the outer tags", CODER, "<function=add><parameter=a>1</parameter></function>", null,
                "add{\"a\": 1}"));
        all.add(new Golden("without closing tags", CODER, "<tool_call><function=add><parameter=a>1<parameter=b>2</function>",
                null,
                "add{\"a\": 1, \"b\": 2}"));
        all.add(new Golden("unfinished", CODER, "<tool_call>\n<function=get_weather>\n<parameter=city>\nZür", null,
                "get_weather{\"city\": \"Zür"));
        all.add(new Golden("unfinished too early", CODER, "<tool_call>\n<function=get_wea", "<tool_call>\n<function=get_wea"));
        all.add(new Golden("no function", CODER, "<tool_call>\nadd\n</tool_call>", "<tool_call>\nadd\n</tool_call>"));
        all.add(new Golden("plain text", CODER, "<function>add</function> </tool_call>",
                "<function>add</function> </tool_call>"));
    }

    private static void forced(List<Golden> all) {
        all.add(new Golden("two calls", FORCED,
                "[{\"name\": \"add\", \"parameters\": {\"a\": 1}}, {\"name\": \"get_weather\", \"parameters\": {}}]\n", null,
                "add{\"a\": 1}",
                "get_weather{}"));
        all.add(new Golden("unfinished", FORCED, " [{\"name\": \"add\", \"parameters\": {\"a\"", null, "add{\"a\""));
        all.add(new Golden("no list", FORCED, "Sorry.", "Sorry."));
        all.add(new Golden("arguments", NAMED, " {\"city\": \"Zürich\"} ", null, "get_weather{\"city\": \"Zürich\"}"));
        all.add(new Golden("unfinished arguments", NAMED, "{\"city\": \"Z", null, "get_weather{\"city\": \"Z"));
    }

    @ParameterizedTest
    @MethodSource("goldens")
    void readsWhatModelsWrite(Golden golden) {
        assertThat(read(golden, List.of(golden.text()))).isEqualTo(new Reading(null, golden.content(), List.of(golden.calls())));
    }

    @ParameterizedTest
    @MethodSource("goldens")
    void readsTheSameHoweverTheTextIsCut(Golden golden) {
        for (List<String> pieces : Reading.cuts(golden.text())) {
            assertThat(read(golden, pieces)).as(pieces.toString())
                    .isEqualTo(new Reading(null, golden.content(), List.of(golden.calls())));
        }
    }

    @ParameterizedTest
    @MethodSource("goldens")
    void readsDamagedTextsTheSameHoweverTheyAreCut(Golden golden) {
        for (String text : Reading.damaged(golden.text(), 20)) {
            Reading whole = read(golden, List.of(text));
            for (List<String> pieces : Reading.someCuts(text)) {
                assertThat(read(golden, pieces)).as(pieces.toString()).isEqualTo(whole);
            }
        }
    }

    @Test
    void passesACallOnBeforeItIsComplete() {
        AnswerReader reader = new AnswerReader(Reading.calls(HERMES, ADD));
        assertThat(reader.push("<tool_call>{\"name\": \"add\", \"arguments\": {\"a")).hasSize(2)
                .last().isEqualTo(new AnswerPart.Arguments(0, "{\"a"));
        assertThat(reader.push("\": 1")).containsExactly(new AnswerPart.Arguments(0, "\": 1"));
    }

    @Test
    void givesIdsThatTheTemplatesOfTheFamilyTake() {
        assertThat(HERMES.newId()).matches("chatcmpl-tool-[0-9a-f]{32}");
        assertThat(MISTRAL.newId()).matches("[A-Za-z0-9]{9}");
    }

    @Test
    void dropsFurtherCallsIfOnlyOneIsWanted() {
        AnswerReader.Plan plan = Reading.calls(HERMES, ADD);
        AnswerReader.Plan one = new AnswerReader.Plan(plan.reasoning(), false, true, plan.calls(), plan.tools(), false,
                plan.begin(),
                plan.end());
        String text = "<tool_call>{\"name\": \"add\", \"arguments\": {\"a\": 1}}</tool_call><tool_call>{\"name\": \"add\"}</tool_call> Done.";
        assertThat(Reading.of(one, List.of(text))).isEqualTo(new Reading(null, " Done.", List.of("add{\"a\": 1}")));
    }

    @Test
    void saysWhatAnAnswerOfCallsMustBe() {
        assertThat(new ForcedFormat(false)
                .schema(List.of(new Tool("f", Map.of("$defs", Map.of("x", Map.of()), "type", "object")))).get()
                .toString())
                .isEqualTo(
                        "{type=array, minItems=1, maxItems=1, items={anyOf=[{type=object, properties={name={const=f}, parameters={type=object}}, required=[name, parameters],"
                                + " additionalProperties=false}]}, $defs={x={}}}");
        assertThat(NAMED.schema(List.of()).get()).isEqualTo(WEATHER.parameters());
        assertThat(HERMES.schema(List.of(ADD))).isEmpty();
    }

    private static Reading read(Golden golden, List<String> pieces) {
        return Reading.of(Reading.calls(golden.format(), WEATHER, ADD), pieces);
    }
}
