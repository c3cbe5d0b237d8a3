package org.maniple.serve.openai;

import java.util.OptionalInt;

/** The data-parallel group that a client wants its request computed by: vLLM's header, or SGLang's field. */
final class PinnedGroup {

    private static final String HEADER = "X-data-parallel-rank";
    private static final String FIELD = "routed_dp_rank";

    private PinnedGroup() {}

    /** The group, which the engine may not know. */
    static OptionalInt read(Exchange exchange, Fields fields) {
        OptionalInt header = header(exchange);
        OptionalInt field = fields.integer(FIELD, 0, Integer.MAX_VALUE);
        if (header.isPresent() && field.isPresent() && header.getAsInt() != field.getAsInt()) {
            throw fields.problem(FIELD, "is " + field.getAsInt() + ", but the header `" + HEADER + "` says " + header.getAsInt()
                    + "; give one of the two");
        }
        return field.isPresent() ? field : header;
    }

    private static OptionalInt header(Exchange exchange) {
        String text = exchange.head().headers().get(HEADER);
        if (text == null) {
            return OptionalInt.empty();
        }
        if (!text.strip().matches("[0-9]{1,6}")) {
            throw ApiException.invalid(HEADER, "The header `" + HEADER
                    + "` must be the number of a data-parallel group, from 0, got [" + ApiException.shown(text) + "].");
        }
        return OptionalInt.of(Integer.parseInt(text.strip()));
    }
}
