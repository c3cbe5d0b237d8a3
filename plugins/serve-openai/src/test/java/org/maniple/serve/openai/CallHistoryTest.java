package org.maniple.serve.openai;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.maniple.api.text.TextCodec;
import org.maniple.api.text.TextException;

/** Earlier calls reach templates of every kind. */
class CallHistoryTest {

    private static final Map<String, Object> CALL = Map.of("id", "1", "type", "function", "function",
            Map.of("name", "add", "arguments", Map.of("a", 1)));
    private static final List<Map<String, Object>> MESSAGES = List.of(Map.of("role", "user", "content", "x"),
            Map.of("role", "assistant", "content", "Look:", "tool_calls", List.of(CALL)));

    /** A codec whose template writes each message as a function does. */
    private static TextCodec codec(Function<Map<String, Object>, String> template) {
        return new ByteCodec() {
            @Override
            public String chat(List<Map<String, Object>> messages, Map<String, Object> variables) {
                return String.join("", messages.stream().map(template).toList());
            }
        };
    }

    private static String rendered(TextCodec codec) {
        return codec.chat(new CallHistory(new Json()).spelled(MESSAGES, codec), Map.of());
    }

    @Test
    void leavesMessagesToATemplateThatShowsThem() {
        TextCodec codec = codec(message -> message.get("content") + "" + message.get("tool_calls"));
        assertThat(new CallHistory(new Json()).spelled(MESSAGES, codec)).isSameAs(MESSAGES);
    }

    @Test
    void givesTextsToATemplateThatShowsCallsOnlyWhereThereIsNoContent() {
        assertThat(rendered(codec(message -> {
            if (message.get("content") != null) {
                return "[" + message.get("content") + "]";
            }
            Map<?, ?> function = (Map<?, ?>) ((Map<?, ?>) ((List<?>) message.get("tool_calls")).getFirst()).get("function");
            if (!(function.get("arguments") instanceof String arguments)) {
                throw new TextException("can only concatenate str");
            }
            return "(" + function.get("name") + arguments + ")";
        }))).isEqualTo("[x][Look:](add{\"a\":1})");
    }

    @Test
    void leavesMessagesToATemplateThatShowsNoCallsAtAll() {
        TextCodec codec = codec(message -> String.valueOf(message.get("content")));
        assertThat(new CallHistory(new Json()).spelled(MESSAGES, codec)).isSameAs(MESSAGES);
    }

    @Test
    void asksTheTemplateOnce() {
        int[] asked = {0};
        TextCodec codec = codec(message -> {
            asked[0]++;
            return String.valueOf(message);
        });
        CallHistory history = new CallHistory(new Json());
        history.spelled(MESSAGES, codec);
        int first = asked[0];
        history.spelled(MESSAGES, codec);
        assertThat(asked[0]).isEqualTo(first).isPositive();
    }
}
