package org.maniple.tokenizer.hf;

import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** One feature of the template language after the other does what Jinja does. */
class TemplateSnippetsTest {

    @TestFactory
    Stream<DynamicTest> everySnippetRendersAsInJinja() {
        var goldens = Oracle.json("chat_templates/snippets.json");
        return Oracle.elements(goldens.get("snippets")).map(golden -> {
            var template = golden.get("template").stringValue();
            return DynamicTest.dynamicTest(template, () -> TemplateGoldens.compare(golden,
                    () -> ChatTemplate.parse(template).render(JsonValues.map(goldens.get("context")),
                            TemplateGoldens.clock(goldens))));
        });
    }

    @TestFactory
    Stream<DynamicTest> syntaxErrorsAreFoundBeforeRendering() {
        return Oracle.elements(Oracle.json("chat_templates/snippets.json").get("snippets"))
                .filter(golden -> golden.path("error").asString("").startsWith("syntax:"))
                .map(golden -> golden.get("template").stringValue())
                .map(template -> DynamicTest.dynamicTest(template,
                        () -> assertThrows(TemplateException.class, () -> ChatTemplate.parse(template))));
    }
}
