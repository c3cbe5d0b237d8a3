package org.maniple.serve.openai;

import java.io.Serial;
import java.util.Optional;
import java.util.OptionalInt;
import org.maniple.api.engine.RefusedException;

/** A request that is answered with an error, in vLLM's shape. */
final class ApiException extends RuntimeException {

    @Serial
    private static final long serialVersionUID = 1L;

    private static final int SHOWN = 80;

    private final int status;
    private final String type;
    private final transient Optional<String> param;
    private final transient OptionalInt retryAfterSeconds;

    private ApiException(int status, String type, Optional<String> param, OptionalInt retryAfterSeconds, String message) {
        // An answer, not a fault: nobody reads its stack trace.
        super(wholeCharacters(message), null, false, false);
        this.status = status;
        this.type = type;
        this.param = param;
        this.retryAfterSeconds = retryAfterSeconds;
    }

    /** The value of a field is refused. */
    static ApiException invalid(String param, String message) {
        return new ApiException(400, typeOf(400), Optional.of(param), OptionalInt.empty(), message);
    }

    /** The request is refused as a whole. */
    static ApiException of(int status, String message) {
        return new ApiException(status, typeOf(status), Optional.empty(), OptionalInt.empty(), message);
    }

    /** The request is refused for now. */
    static ApiException later(int seconds, String message) {
        return new ApiException(503, typeOf(503), Optional.empty(), OptionalInt.of(seconds), message);
    }

    /** This client has too many requests. */
    static ApiException tooMany(int seconds, String message) {
        return new ApiException(429, typeOf(429), Optional.empty(), OptionalInt.of(seconds), message);
    }

    /** The model is not one that is served. */
    static ApiException unknownModel(String model) {
        return new ApiException(404, typeOf(404), Optional.of("model"), OptionalInt.empty(),
                "The model `" + shown(model) + "` does not exist.");
    }

    /** The engine has died. */
    static ApiException engineDead(String message) {
        return new ApiException(503, "EngineDeadError", Optional.empty(), OptionalInt.of(5), message);
    }

    /** The engine does not take the request. */
    static ApiException refused(RefusedException refusal) {
        String message = String.valueOf(refusal.getMessage());
        return switch (refusal.reason()) {
            case INVALID -> of(400, message);
            case UNAVAILABLE -> later(5, message);
            case OVERLOADED -> later(1, message);
        };
    }

    int status() {
        return status;
    }

    OptionalInt retryAfterSeconds() {
        return retryAfterSeconds;
    }

    /** What the client reads. */
    JsonReply reply() {
        return json -> {
            json.writeStartObject();
            json.writeObjectPropertyStart("error");
            json.writeStringProperty("message", getMessage());
            json.writeStringProperty("type", type);
            Json.text(json, "param", param);
            json.writeNumberProperty("code", status);
            json.writeEndObject();
            json.writeEndObject();
        };
    }

    /** A value of a request as a message may show it: short, and never half a character. */
    static String shown(@org.jspecify.annotations.Nullable Object value) {
        String text = String.valueOf(value);
        if (text.length() <= SHOWN) {
            return text;
        }
        int end = Character.isHighSurrogate(text.charAt(SHOWN - 1)) ? SHOWN - 1 : SHOWN;
        return text.substring(0, end) + "…";
    }

    private static String wholeCharacters(String message) {
        StringBuilder whole = new StringBuilder(message.length());
        message.codePoints()
                .forEach(c -> whole.appendCodePoint(c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE ? 0xFFFD : c));
        return whole.toString();
    }

    private static String typeOf(int status) {
        return switch (status) {
            case 400 -> "BadRequestError";
            case 403 -> "PermissionDeniedError";
            case 404 -> "NotFoundError";
            case 405 -> "MethodNotAllowedError";
            case 408 -> "RequestTimeoutError";
            case 409 -> "ConflictError";
            case 413 -> "RequestTooLargeError";
            case 414 -> "UriTooLongError";
            case 415 -> "UnsupportedMediaTypeError";
            case 417 -> "ExpectationFailedError";
            case 429 -> "RateLimitError";
            case 431 -> "RequestHeadersTooLargeError";
            case 503 -> "ServiceUnavailableError";
            case 504 -> "GatewayTimeoutError";
            case 505 -> "HttpVersionError";
            default -> "InternalServerError";
        };
    }
}
