package org.maniple.serve.openai;

import java.util.List;
import org.maniple.api.config.Option;
import org.maniple.api.config.OptionType;

/** The configuration keys of this plugin. */
final class OpenAiOptions {

    static final String API_KEY = "api-key";
    static final String API_KEY_FILE = "api-key-file";
    static final String MAX_BODY = "http-max-body-size";

    private OpenAiOptions() {}

    static List<Option> all() {
        // Only rank 0 serves, so the other ranks need not have them; and a key must not travel between ranks.
        return List.of(
                Option.of(API_KEY, OptionType.TEXT,
                        "Key that clients must send as 'Authorization: Bearer KEY' to all but the health"
                                + " routes; prefer " + API_KEY_FILE + ", since command lines are visible to others.")
                        .asLocal(),
                Option.of(API_KEY_FILE, OptionType.TEXT,
                        "File with such keys, one on each line; lines that begin with # are skipped.")
                        .asLocal(),
                Option.of(MAX_BODY, OptionType.BYTES, "Size of the longest request body that is accepted, in bytes.")
                        .withDefault("8MiB").withMinimum(1024).asLocal());
    }
}
