package org.maniple.tokenizer.hf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Clock;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** No template, however hostile, runs for long, makes much, breaks the stack or reaches the host program. */
class TemplateLimitsTest {

    private static String render(String template, Map<String, ?> variables) {
        return ChatTemplate.parse(template).render(variables, Clock.systemUTC());
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "{% for a in range(1000000) %}{% for b in range(1000000) %}{% endfor %}{% endfor %}",
        "{% for a in range(1000001) %}{% endfor %}",
        "{{ 'x' * 1000000000 }}",
        "{{ [0] * 1000000000 }}",
        "{% set ns = namespace(s='x') %}{% for i in range(100) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
        "{% set ns = namespace(s='x') %}{% for i in range(100) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
        "{% set ns = namespace(s=[1]) %}{% for i in range(100) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
        "{% set ns = namespace(s=[1]) %}{% for i in range(100) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s }}",
        "{% set ns = namespace(s=[1]) %}{% for i in range(60) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s|tojson }}",
        "{% set ns = namespace(s=[1]) %}{% for i in range(60) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s == ns.s }}",
        "{% set ns = namespace(s='a') %}{% for i in range(99) %}{% set ns.s = ns.s.replace('a', 'aa') %}{% endfor %}",
        "{% set ns = namespace(s='a') %}{% for i in range(99) %}{% set ns.s = ns.s|replace('', 'bb') %}{% endfor %}",
        "{% set ns = namespace(s='a') %}{% for i in range(99) %}{% set ns.s = [ns.s, ns.s]|join(ns.s) %}{% endfor %}",
        "{% set ns = namespace(s='a') %}{% for i in range(99) %}{% set ns.s %}{{ ns.s }}{{ ns.s }}{% endset %}{% endfor %}",
        "{% for i in range(1000000) %}0123456789{% endfor %}",
        "{{ 'a'.center(100000000) }}",
        "{{ '%1000000d' % 1 }}",
        "{{ '{:1000000}'.format(1) }}",
        "{{ '%.100000f' % 1.5 }}",
        "{{ 'a\nb'|indent(1000000000) }}",
        "{{ [1]|batch(1000000000, 0)|list }}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(60) }}",
        "{% macro a(x) %}{{ b(x) }}{% endmacro %}{% macro b(x) %}{{ a(x) }}{% endmacro %}{{ a(1) }}",
        "{% set ns = namespace(a=[[1]]) %}{% for x in ns.a recursive %}{{ loop(ns.a) }}{% endfor %}",
        "{% for i in range(1000000) %}{{ 'x'|upper|lower|upper|lower|length }}{% endfor %}"})
    void bombsAreStopped(String template) {
        assertThatThrownBy(() -> render(template, Map.of())).isInstanceOfSatisfying(TemplateException.class,
                error -> assertThat(error.kind()).as(error.getMessage()).isEqualTo(TemplateException.Kind.LIMIT));
    }

    @Test
    void integersThatDoNotFitFailInsteadOfWrapping() {
        for (var template : List.of("{{ 2 ** 64 }}", "{{ 9223372036854775807 + 1 }}", "{{ 3037000500 * 3037000500 }}",
                "{{ 10 ** 1000000000000 }}")) {
            assertThatThrownBy(() -> render(template, Map.of())).isInstanceOf(TemplateException.class)
                    .hasMessageContaining("64 bits");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"(", "[", "{'a':", "not ", "-", "x.y[", "x(", "x|default(", "x is in [", "1 if ", "1 if 1 else ",
        "x ** ",
        "x and ", "x.a", "x|list", "1 + ", "{% if x %}", "{% for a in x %}", "{% set a %}", "{% filter upper %}"})
    void nestingIsLimitedWhenParsing(String opening) {
        var template = opening.startsWith("{%") ? opening.repeat(100_000) : "{{ " + opening.repeat(100_000) + " x }}";
        assertThatThrownBy(() -> ChatTemplate.parse(template)).isInstanceOfSatisfying(TemplateException.class,
                error -> assertThat(error.kind()).isEqualTo(TemplateException.Kind.SYNTAX));
    }

    @ParameterizedTest
    @ValueSource(strings = {"''.__class__", "''.getClass()", "messages.getClass().forName('java.lang.Runtime')",
        "self.__init__.__globals__",
        "cycler.__init__.__globals__.os", "namespace.__class__", "T(java.lang.Runtime)",
        "''.__class__.__mro__[1].__subclasses__()",
        "messages.stream()", "messages.size()", "loop.class", "raise_exception.call", "joiner|attr('__init__')|string",
        "lipsum.__globals__", "range.__self__", "messages[0].entrySet()", "''['__class__']", "strftime_now.clock", "caller()"})
    void nothingLeadsToTheHostProgram(String expression) {
        var messages = List.of(Map.of("role", "user", "content", "hi"));
        try {
            assertThat(render("{{ " + expression + " }}", Map.of("messages", messages))).isEmpty();
        } catch (TemplateException refused) {
            assertThat(refused.kind()).isIn(TemplateException.Kind.FAILED, TemplateException.Kind.SYNTAX);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"{{ x.0x }}", "{{ 0x }}", "{{ 0b12 }}", "{{ 0xFFFFFFFFFFFFFFFFFF }}", "{{ 99999999999999999999 }}",
        "{{ x.1.2.3e }}"})
    void numbersThatAreNoneAreSyntaxErrors(String template) {
        assertThatThrownBy(() -> ChatTemplate.parse(template)).isInstanceOfSatisfying(TemplateException.class,
                error -> assertThat(error.kind()).isEqualTo(TemplateException.Kind.SYNTAX));
    }

    @Test
    void objectsOfTheHostProgramAreNotTaken() {
        assertThatThrownBy(() -> render("{{ x }}", Map.of("x", new Object()))).isInstanceOf(TemplateException.class)
                .hasMessageContaining("takes null, booleans, numbers, strings, lists and maps");
    }

    @Test
    void valuesNestedTooDeeplyAreNotTaken() {
        List<Object> nested = List.of();
        for (int i = 0; i < 100_000; i++) {
            nested = List.of(nested);
        }
        var bomb = nested;
        assertThatThrownBy(() -> render("{{ x }}", Map.of("x", bomb))).isInstanceOf(TemplateException.class);
    }

    @Test
    void theDeepestTemplatesFitOnASmallStack() throws InterruptedException {
        var deep = "{% macro m(n) %}" + "{% if n %}".repeat(4) + "{{ " + "(".repeat(3) + "m(n - 1)" + ")".repeat(3) + " }}"
                + "{% endif %}".repeat(4) + "{% endmacro %}{{ m(100) }}";
        var wide = "{{ " + "1 + ".repeat(90) + "1 }}{{ " + "(".repeat(40) + "[[x]]|map('first')|list" + ")".repeat(40) + " }}";
        var failure = new AtomicReference<Throwable>();
        var thread = new Thread(null, () -> {
            for (var template : List.of(deep, wide)) {
                try {
                    render(template, Map.of("x", 1));
                } catch (TemplateException expected) {
                    assertThat(expected.kind()).isEqualTo(TemplateException.Kind.LIMIT);
                }
            }
        }, "small stack", 512 << 10);
        thread.setUncaughtExceptionHandler((where, error) -> failure.set(error));
        thread.start();
        thread.join();
        assertThat(failure.get()).isNull();
    }

    @Test
    void mutatedTemplatesRenderOrFailAsTemplates() {
        var random = new Random(42);
        var seeds = seeds();
        var variables = new LinkedHashMap<String, Object>(
                JsonValues.map(Oracle.json("chat_templates/snippets.json").get("context")));
        variables.put("messages",
                JsonValues.of(Oracle.json("chat_templates/conversations.json").get("conversations").get("tools-full")));
        variables.put("tools", JsonValues.of(Oracle.json("chat_templates/conversations.json").get("tools")));
        int rendered = 0;
        for (int round = 0; round < 12_000; round++) {
            var template = mutated(seeds, random);
            try {
                render(template, variables);
                rendered++;
            } catch (TemplateException expected) {
                assertThat(expected.getMessage()).startsWith("chat template");
            }
        }
        assertThat(rendered).isGreaterThan(1_000);
    }

    private static List<String> seeds() {
        var seeds = new ArrayList<String>();
        Oracle.elements(Oracle.json("chat_templates/snippets.json").get("snippets"))
                .forEach(snippet -> seeds.add(snippet.get("template").stringValue()));
        Oracle.files("chat_templates/real", ".json").forEach(file -> seeds.add(Oracle.json(file).get("template").stringValue()));
        return seeds;
    }

    private static String mutated(List<String> seeds, Random random) {
        var text = new StringBuilder(seeds.get(random.nextInt(seeds.size())));
        for (int i = random.nextInt(4); i >= 0; i--) {
            int at = random.nextInt(text.length() + 1);
            int end = Math.min(text.length(), at + random.nextInt(20));
            var other = seeds.get(random.nextInt(seeds.size()));
            int from = random.nextInt(other.length());
            switch (random.nextInt(4)) {
                case 0 -> text.delete(at, end);
                case 1 -> text.insert(at, other, from, Math.min(other.length(), from + random.nextInt(60)));
                case 2 -> text.insert(at, text.substring(at, end));
                default -> text.insert(at,
                        new String[] {"-", "[", "]", "{{", "}}", "{%", "%}", "|", "999999999", "none", "''", "loop", "~",
                            "("}[random
                                    .nextInt(14)]);
            }
        }
        return text.toString();
    }
}
