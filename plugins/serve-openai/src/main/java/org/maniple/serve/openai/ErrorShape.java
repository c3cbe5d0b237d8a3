package org.maniple.serve.openai;

/** The shapes in which clients expect errors. */
enum ErrorShape {
    /** OpenAI's, as vLLM writes it. */
    OPENAI {
        @Override
        JsonReply reply(ApiException problem) {
            return problem.reply();
        }

        @Override
        JsonReply unauthorized() {
            return json -> {
                json.writeStartObject();
                json.writeStringProperty("error", "Unauthorized");
                json.writeEndObject();
            };
        }
    },
    /** Anthropic's. */
    ANTHROPIC {
        @Override
        JsonReply reply(ApiException problem) {
            return error(typeOf(problem.status()), String.valueOf(problem.getMessage()));
        }

        @Override
        JsonReply unauthorized() {
            return error("authentication_error", "Unauthorized: send a key as x-api-key, or as Authorization: Bearer.");
        }
    };

    /** An error. */
    abstract JsonReply reply(ApiException problem);

    /** That there is no key, or no known one. */
    abstract JsonReply unauthorized();

    private static JsonReply error(String type, String message) {
        return json -> {
            json.writeStartObject();
            json.writeStringProperty("type", "error");
            json.writeObjectPropertyStart("error");
            json.writeStringProperty("type", type);
            json.writeStringProperty("message", message);
            json.writeEndObject();
            json.writeEndObject();
        };
    }

    private static String typeOf(int status) {
        return switch (status) {
            case 403 -> "permission_error";
            case 404 -> "not_found_error";
            case 413 -> "request_too_large";
            case 429 -> "rate_limit_error";
            case 504 -> "timeout_error";
            case 503 -> "overloaded_error";
            default -> status < 500 ? "invalid_request_error" : "api_error";
        };
    }
}
