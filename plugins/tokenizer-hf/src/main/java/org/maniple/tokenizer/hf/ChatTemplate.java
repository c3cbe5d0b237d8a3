package org.maniple.tokenizer.hf;

import java.time.Clock;
import java.util.List;
import java.util.Map;

/**
 * A chat template in the subset of Jinja that published models use, with the settings and extensions of Hugging Face's transformers. It is run
 * without reflection: values are null, booleans, numbers, strings, lists and maps, and nothing leads from them to the host program. One
 * rendering has limited steps, output and nesting. Immutable and thread-safe.
 */
final class ChatTemplate {
    private final List<Statement> statements;

    private ChatTemplate(List<Statement> statements) {
        this.statements = statements;
    }

    /**
     * Reads a template.
     *
     * @throws TemplateException of kind SYNTAX where it is not one
     */
    static ChatTemplate parse(String template) {
        return new ChatTemplate(TemplateParser.parse(template));
    }

    /**
     * Renders the template.
     *
     * @param variables what the template can see; null values are {@code none}, absent ones undefined
     * @param clock     the time for {@code strftime_now}
     */
    String render(Map<String, ?> variables, Clock clock) {
        var budget = new RenderBudget();
        var evaluator = new Evaluator(budget);
        try {
            var scope = new Scope(new TemplateGlobals(clock, budget).scope());
            variables.forEach((name, value) -> scope.set(name, TemplateInput.value(value)));
            return new Interpreter(evaluator).write(statements, new Scope(scope));
        } catch (TemplateException e) {
            throw e.at(evaluator.line());
        }
    }
}
