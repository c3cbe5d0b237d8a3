package org.maniple.tokenizer.hf;

/** Where a Metaspace step puts a mark before text that does not begin with a space. */
enum MetaspacePrefix {
    ALWAYS, FIRST, NEVER;

    static MetaspacePrefix read(JsonField metaspace) {
        var scheme = metaspace.optional("prepend_scheme");
        if (scheme.isEmpty()) {
            return metaspace.bool("add_prefix_space", true) ? ALWAYS : NEVER;
        }
        return switch (scheme.get().string()) {
            case "always" -> ALWAYS;
            case "first" -> FIRST;
            case "never" -> NEVER;
            default -> throw scheme.get().error("expected always, first or never");
        };
    }
}
