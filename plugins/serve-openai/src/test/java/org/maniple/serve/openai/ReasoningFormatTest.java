package org.maniple.serve.openai;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.maniple.api.engine.GenerationEvent.Tokens;

/** Where reasoning ends, however the text is cut. */
class ReasoningFormatTest {

    private static final ReasoningFormat QWEN = new ReasoningFormat("<think>", "</think>", false);
    private static final ReasoningFormat R1 = new ReasoningFormat("<think>", "</think>", true);
    private static final Tool ADD = new Tool("add", Map.of());

    /** A text after a prompt, and what it is read as. */
    record Golden(String name, ReasoningFormat format, String prompt, String text, String reasoning, String content,
            String... calls) {

        AnswerReader.Plan plan() {
            return Reading.plan(Optional.of(format), false, Optional.of(new HermesFormat()), ADD)
                    .after(new ChatPrompt(prompt, false, "assistant", ""));
        }

        AnswerReader.Plan withoutTools() {
            return Reading.plan(Optional.of(format), false, Optional.empty())
                    .after(new ChatPrompt(prompt, false, "assistant", ""));
        }

        @Override
        public String toString() {
            return name;
        }
    }

    static List<Golden> goldens() {
        return List.of(
                new Golden("as Qwen3 writes it", QWEN, "<|im_start|>assistant\n", "<think>\nHm, 1 < 2.\n\nYes.\n</think>\n\nYes.",
                        "Hm, 1 < 2.\n\nYes.", "Yes."),
                new Golden("after a template that opens it", QWEN, "<|im_start|>assistant\n<think>\n", "Hm.\n</think>\n\nYes.",
                        "Hm.", "Yes."),
                new Golden("after a template that closes it", QWEN, "<think>\n\n</think>\n\n", "Yes.", null, "Yes."),
                new Golden("the model answers at once", QWEN, "<|im_start|>assistant\n", "\n Yes <think>no</think>.", null,
                        "\n Yes <think>no</think>."),
                new Golden("the answer begins nearly so", QWEN, "", "<<think>x</think>", null, "<<think>x</think>"),
                new Golden("nothing thought", QWEN, "", "<think>\n\n</think>\n\nYes.", null, "Yes."),
                new Golden("cut off while thinking", QWEN, "", "<think>\nHm 🌍 </thi", "Hm 🌍 </thi", null),
                new Golden("as R1 writes it without the opening mark", R1, "<｜Assistant｜>", "Hm.\n</think>\n\nYes.\n", "Hm.",
                        "Yes.\n"),
                new Golden("as R1 writes it with the opening mark", R1, "<｜Assistant｜>", "<think>\nHm.\n</think>\n\nYes.", "Hm.",
                        "Yes."),
                new Golden("the template opens it and so does the model", R1, "<｜Assistant｜><think>\n",
                        "<think>\nHm.</think>Yes.", "Hm.", "Yes."),
                new Golden("R1 never ends to think", R1, "<｜Assistant｜>", "Hm.\n ", "Hm.", null),
                new Golden("R1 is told not to think", R1, "<｜Assistant｜><think></think>", "Yes.", null, "Yes."),
                new Golden("marks within", R1, "", "a<think>b</think>c</think>d", "a<think>b", "c</think>d"),
                new Golden("then a call", QWEN, "", """
                        <think>
                        I could <tool_call>{"name": "no"}</tool_call>.
                        </think>

                        <tool_call>
                        {"name": "add", "arguments": {"a": "<think>"}}
                        </tool_call>""", "I could <tool_call>{\"name\": \"no\"}</tool_call>.", null, "add{\"a\": \"<think>\"}"),
                new Golden("then text and a call", R1, "", "Hm.</think>\nLook:\n<tool_call>{\"name\": \"add\"}</tool_call>\n",
                        "Hm.", "Look:", "add{}"),
                new Golden("nothing", QWEN, "", "", null, null));
    }

    @ParameterizedTest
    @MethodSource("goldens")
    void separatesReasoningContentAndCallsHoweverTheTextIsCut(Golden golden) {
        for (List<String> pieces : Reading.cuts(golden.text())) {
            assertThat(Reading.of(golden.plan(), pieces)).as(pieces.toString())
                    .isEqualTo(new Reading(golden.reasoning(), golden.content(), List.of(golden.calls())));
        }
    }

    @ParameterizedTest
    @MethodSource("goldens")
    void readsDamagedTextsTheSameHoweverTheyAreCut(Golden golden) {
        for (String text : Reading.damaged(golden.text(), 20)) {
            Reading whole = Reading.of(golden.plan(), List.of(text));
            Reading withoutTools = Reading.of(golden.withoutTools(), List.of(text));
            for (List<String> pieces : Reading.someCuts(text)) {
                assertThat(Reading.of(golden.plan(), pieces)).as(pieces.toString()).isEqualTo(whole);
                assertThat(Reading.of(golden.withoutTools(), pieces)).as(pieces.toString()).isEqualTo(withoutTools);
            }
        }
    }

    @Test
    void aMessageThatIsContinuedMayBeInTheMiddleOfIt() {
        assertThat(QWEN.beginsInside(new ChatPrompt("…<think>\nHm", false, "assistant", "<think>\nHm"))).isTrue();
        assertThat(QWEN.beginsInside(new ChatPrompt("…<think>\nHm</think>Y", false, "assistant", "<think>\nHm</think>Y")))
                .isFalse();
        assertThat(R1.beginsInside(new ChatPrompt("…Hm", false, "assistant", "Hm"))).isTrue();
    }

    @Test
    void dropsReasoningThatIsNotToBeShown() {
        var plan = new AnswerReader.Plan(Optional.of(QWEN), false, false, Optional.empty(), List.of(), true, OptionalInt.empty(),
                OptionalInt.empty());
        assertThat(Reading.of(plan, List.of("<think>Hm.</think>\nYes."))).isEqualTo(new Reading(null, "Yes.", List.of()));
    }

    @Test
    void countsTheTokensBetweenTheMarks() {
        var plan = new AnswerReader.Plan(Optional.of(QWEN), false, true, Optional.empty(), List.of(), true, OptionalInt.of(1),
                OptionalInt.of(2));
        AnswerReader reader = new AnswerReader(plan);
        reader.read(new Tokens(List.of(1, 7), "<think>a", List.of()));
        reader.read(new Tokens(List.of(8, 9, 2, 7, 8), "bc</think>ab", List.of()));
        assertThat(reader.reasoningTokens()).hasValue(3);
        assertThat(new AnswerReader(AnswerReader.Plan.PLAIN).reasoningTokens()).isEmpty();
    }
}
