package org.maniple.tokenizer.hf;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import tools.jackson.databind.JsonNode;

/** The embedded demo models' directories load and give the prompts and answers they were trained and recorded with. */
class DemoModelTest {

    @TestFactory
    Stream<DynamicTest> everyPromptOfTheDemoModelsHasItsIdsAndItsAnswerItsText() {
        return Stream.of("demo-dense", "demo-moe").flatMap(model -> {
            var codec = new ModelFiles(Oracle.path(model)).load(Clock.systemUTC());
            return Oracle.json(model + "/expected.json").get("prompts").properties().stream()
                    .filter(prompt -> prompt.getValue().has("output_text"))
                    .map(prompt -> DynamicTest.dynamicTest(model + " " + prompt.getKey(),
                            () -> compare(codec, prompt.getValue())));
        });
    }

    private static void compare(HfTextCodec codec, JsonNode prompt) {
        var ids = Oracle.ids(prompt.get("ids"));
        assertArrayEquals(ids, prompt.has("text")
                ? codec.encode(prompt.get("text").stringValue(), true)
                : codec.encode(codec.chat(messages(prompt), Map.of("add_generation_prompt", true)), false));
        var answer = Oracle.ids(prompt.get("output_ids_until_end"));
        assertEquals(prompt.get("output_text").stringValue(), codec.decode(answer, true));
        var decoder = codec.decoder(ids, true);
        var streamed = new StringBuilder();
        for (int id : answer) {
            streamed.append(decoder.push(id));
        }
        assertEquals(prompt.get("output_text").stringValue(), streamed.append(decoder.finish()).toString());
    }

    @SuppressWarnings("unchecked") // the maps come from JSON objects, whose keys are strings
    private static List<Map<String, Object>> messages(JsonNode prompt) {
        return (List<Map<String, Object>>) (List<?>) JsonValues.maps(prompt.get("messages"));
    }
}
