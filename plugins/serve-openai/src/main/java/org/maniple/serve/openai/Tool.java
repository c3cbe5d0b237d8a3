package org.maniple.serve.openai;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A tool that a model may call.
 *
 * @param name its name
 * @param parameters the JSON schema of its arguments; empty if none was given
 */
record Tool(String name, Map<String, @Nullable Object> parameters) {

    private static final int MAX_TOOLS = 1024;

    /**
     * Reads the field {@code tools}.
     *
     * @throws ApiException 400 if it is no list of functions
     */
    static List<Tool> read(Fields fields) {
        List<Tool> tools = new ArrayList<>();
        for (Fields tool : fields.objects("tools", MAX_TOOLS).orElse(List.of())) {
            String type = tool.text("type").orElse("function");
            if (!type.equals("function")) {
                throw tool.problem("type", "can only be \"function\", got [" + ApiException.shown(type) + "]");
            }
            Fields function = tool.object("function").orElseThrow(() -> tool.problem("function", "is missing"));
            String name = function.text("name").orElse("");
            if (name.isEmpty()) {
                throw function.problem("name", "must be the name of a function");
            }
            tools.add(new Tool(name, function.object("parameters").map(Fields::all).orElse(Map.of())));
        }
        return tools;
    }

    /** The type that the schema gives a parameter; empty if it gives none. */
    String typeOf(String parameter) {
        return parameters.get("properties") instanceof Map<?, ?> properties
                && properties.get(parameter) instanceof Map<?, ?> schema
                && schema.get("type") instanceof String type ? type : "";
    }
}
