package org.maniple.tokenizer.hf;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import tools.jackson.databind.JsonNode;

/** Published chat templates give transformers' prompts for every conversation, or refuse it for the same reason. */
class RealChatTemplatesTest {

    @TestFactory
    Stream<DynamicContainer> everyPublishedTemplateRendersAsInTransformers() {
        var conversations = Oracle.json("chat_templates/conversations.json");
        return Oracle.files("chat_templates/real", ".json").stream().map(file -> {
            var goldens = Oracle.json(file);
            return DynamicContainer.dynamicContainer(goldens.get("name").stringValue(), Oracle.elements(goldens.get("cases"))
                    .map(golden -> DynamicTest.dynamicTest(describe(golden), () -> compare(goldens, golden, conversations))));
        });
    }

    private static String describe(JsonNode golden) {
        return golden.get("conversation").stringValue() + " tools=" + golden.get("tools") + " prompt="
                + golden.get("add_generation_prompt") + " " + golden.path("variables");
    }

    private static void compare(JsonNode goldens, JsonNode golden, JsonNode conversations) {
        var special = new LinkedHashMap<String, String>();
        for (var name : new String[] {"bos_token", "eos_token"}) {
            if (goldens.path(name).isString()) {
                special.put(name, goldens.get(name).stringValue());
            }
        }
        var variables = new LinkedHashMap<String, @Nullable Object>(JsonValues.map(golden.get("variables")));
        variables.put("add_generation_prompt", golden.get("add_generation_prompt").booleanValue());
        if (golden.get("tools").booleanValue()) {
            variables.put("tools", JsonValues.of(conversations.get("tools")));
        }
        var messages = JsonValues.maps(conversations.get("conversations").get(golden.get("conversation").stringValue()));
        TemplateGoldens.compare(golden, () -> new ChatTemplates(
                Map.of("default", ChatTemplate.parse(goldens.get("template").stringValue())), special,
                TemplateGoldens.clock(goldens))
                .render(messages, variables));
    }
}
