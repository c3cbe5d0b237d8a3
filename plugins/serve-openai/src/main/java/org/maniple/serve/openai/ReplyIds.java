package org.maniple.serve.openai;

import java.util.Optional;

/** What a reply's id is made of. */
final class ReplyIds {

    private ReplyIds() {}

    /** The id in the header comes first, then the one in the body ({@code rid} is SGLang's name for it), then one of our own. */
    static String base(Exchange exchange, Fields fields) {
        Optional<String> inBody = fields.text("request_id").or(() -> fields.text("rid"));
        inBody.filter(id -> !Exchange.isRequestId(id)).ifPresent(id -> {
            throw ApiException.invalid(fields.has("request_id") ? "request_id" : "rid",
                    "A request's id has 1 to 128 letters, digits, dots, dashes and underscores, got [" + ApiException.shown(id)
                            + "].");
        });
        return exchange.givenId().or(() -> inBody).orElse(exchange.id());
    }
}
