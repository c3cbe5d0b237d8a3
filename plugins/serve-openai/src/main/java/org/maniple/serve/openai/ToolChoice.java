package org.maniple.serve.openai;

import java.util.List;
import java.util.Map;

/** Which tools an answer may, must or must not call. */
sealed interface ToolChoice {

    /** None. */
    record None() implements ToolChoice {}

    /**
     * What the model likes.
     *
     * @param asked whether the request says so
     */
    record Auto(boolean asked) implements ToolChoice {}

    /** At least one. */
    record Required() implements ToolChoice {}

    /**
     * This one.
     *
     * @param tool it
     */
    record Named(Tool tool) implements ToolChoice {}

    /**
     * Reads the field {@code tool_choice}.
     *
     * @param tools those of the request
     * @throws ApiException 400 if it is no choice among them
     */
    static ToolChoice read(Fields fields, List<Tool> tools) {
        Object choice = fields.raw("tool_choice");
        return switch (choice) {
            case null -> tools.isEmpty() ? new None() : new Auto(false);
            case String word when word.equals("none") -> new None();
            case String word when word.equals("auto") -> tools.isEmpty() ? new None() : new Auto(true);
            case String word when word.equals("required") -> {
                if (tools.isEmpty()) {
                    throw fields.problem("tool_choice", "is \"required\", but there are no `tools`");
                }
                yield new Required();
            }
            case Map<?, ?> object -> named(fields, tools);
            default -> throw fields.problem("tool_choice", "must be \"none\", \"auto\", \"required\" or"
                    + " {\"type\": \"function\", \"function\": {\"name\": …}}, got [" + ApiException.shown(choice) + "]");
        };
    }

    private static Named named(Fields fields, List<Tool> tools) {
        String name = fields.object("tool_choice").flatMap(choice -> choice.object("function"))
                .flatMap(function -> function.text("name")).orElse("");
        return new Named(tools.stream().filter(tool -> tool.name().equals(name)).findFirst()
                .orElseThrow(() -> fields.problem("tool_choice", "names the function [" + ApiException.shown(name)
                        + "], which is not in `tools`")));
    }
}
