package org.maniple.serve.openai;

import java.util.List;
import org.maniple.api.config.Option;
import org.maniple.api.config.OptionType;

/** The configuration keys of this plugin. */
final class OpenAiOptions {

    static final String API_KEY = "api-key";
    static final String API_KEY_FILE = "api-key-file";
    static final String MAX_REQUESTS_PER_KEY = "max-requests-per-key";
    static final String SSL_CERTFILE = "ssl-certfile";
    static final String SSL_KEYFILE = "ssl-keyfile";
    static final String SSL_KEYFILE_PASSWORD = "ssl-keyfile-password";
    static final String SSL_CA_CERTS = "ssl-ca-certs";
    static final String SSL_CERT_REQS = "ssl-cert-reqs";
    static final String REQUEST_TIMEOUT = "request-timeout";
    static final String FIRST_TOKEN_TIMEOUT = "first-token-timeout";
    static final String STREAM_EVENT_IDS = "stream-event-ids";
    static final String GENERATION_CONFIG = "generation-config";
    static final String ALLOWED_ORIGINS = "allowed-origins";
    static final String POOLING = "pooling";
    static final String MATRYOSHKA = "matryoshka-dimensions";
    static final String METRICS_WITHOUT_KEY = "metrics-without-key";
    static final String TRACES = "otlp-traces-endpoint";
    static final String MAX_BODY = "http-max-body-size";
    static final String AUTO_TOOL_CHOICE = "enable-auto-tool-choice";
    static final String TOOL_CALL_PARSER = "tool-call-parser";
    static final String REASONING_PARSER = "reasoning-parser";
    static final String REASONING_FIELDS = "reasoning-fields";

    private OpenAiOptions() {}

    static List<Option> all() {
        // Only rank 0 serves, so the other ranks need not have them; and a key must not travel between ranks.
        return List.of(
                Option.of(API_KEY, OptionType.TEXT,
                        "Key that clients must send as 'Authorization: Bearer KEY' to all but the health"
                                + " routes; prefer " + API_KEY_FILE + ", since command lines are visible to others.")
                        .asLocal(),
                Option.of(API_KEY_FILE, OptionType.TEXT,
                        "File with such keys, one on each line, which may be followed by max-requests=N; lines that begin with # are"
                                + " skipped. It is read again when it has changed.")
                        .asLocal(),
                Option.of(MAX_REQUESTS_PER_KEY, OptionType.INTEGER,
                        "Most requests that are answered under one key at the same time; others get status 429.")
                        .withMinimum(1).asLocal(),
                Option.of(SSL_CERTFILE, OptionType.TEXT,
                        "Serve over TLS with this certificate, a PEM file that has those above it too. It and the key are read again when they"
                                + " have changed.")
                        .asLocal(),
                Option.of(SSL_KEYFILE, OptionType.TEXT, "The key of that certificate, a PEM file in PKCS #8.").asLocal(),
                Option.of(SSL_KEYFILE_PASSWORD, OptionType.TEXT, "The password of that key, if it is encrypted.").asLocal(),
                Option.of(SSL_CA_CERTS, OptionType.TEXT,
                        "The authorities that certificates of clients are signed by, a PEM file.")
                        .asLocal(),
                Option.of(SSL_CERT_REQS, OptionType.TEXT, "Whether clients need a certificate: 0 no, 1 may have one, 2 yes.")
                        .withDefault("0").withChoices(Tls.clientCertificates()).asLocal(),
                Option.of(ALLOWED_ORIGINS, OptionType.TEXTS,
                        "Origins whose pages may use the API through a browser, such as https://chat.example.org; by default none.")
                        .asLocal(),
                Option.of(REQUEST_TIMEOUT, OptionType.DURATION,
                        "How long a request may take in all; then it ends with status 504. By default as long as it takes.")
                        .asLocal(),
                Option.of(FIRST_TOKEN_TIMEOUT, OptionType.DURATION,
                        "How long a request may wait for its first token; then it ends with status 503. By default as long as it takes.")
                        .asLocal(),
                Option.of(STREAM_EVENT_IDS, OptionType.BOOLEAN,
                        "Number the events of streams (id: 1 and so on), which some clients do not expect.")
                        .withDefault("false").asLocal(),
                Option.of(GENERATION_CONFIG, OptionType.TEXT,
                        "auto: what a request does not say about sampling comes from the model's generation_config.json; vllm: it does not.")
                        .withDefault("auto").withChoices("auto", "vllm").asLocal(),
                Option.of(POOLING, OptionType.TEXT,
                        "How /v1/embeddings makes a vector of a text: last, what the model knows at its last token; mean, the mean over all; none:"
                                + " it is refused; auto: as the model's 1_Pooling/config.json says, else last.")
                        .withDefault("auto").withChoices("auto", "last", "mean", "none").asLocal(),
                Option.of(MATRYOSHKA, OptionType.INTEGERS,
                        "Numbers of dimensions that the model's vectors may be cut to (the field dimensions), as it was trained for.")
                        .withMinimum(1).asLocal(),
                Option.of(METRICS_WITHOUT_KEY, OptionType.BOOLEAN,
                        "Answer /metrics without a key too, for collectors that cannot send one.")
                        .withDefault("false").asLocal(),
                Option.of(TRACES, OptionType.TEXT,
                        "Where spans of requests are sent by OTLP over HTTP in JSON, for example http://127.0.0.1:4318.")
                        .asLocal(),
                Option.of(MAX_BODY, OptionType.BYTES, "Size of the longest request body that is accepted, in bytes.")
                        .withDefault("8MiB").withMinimum(1024).asLocal(),
                Option.of(AUTO_TOOL_CHOICE, OptionType.BOOLEAN,
                        "Whether calls of tools are found in what the model says by itself; needs " + TOOL_CALL_PARSER + ".")
                        .withDefault("false").asLocal(),
                Option.of(TOOL_CALL_PARSER, OptionType.TEXT, "How the model writes calls of tools.")
                        .withChoices(AnswerSyntax.callNames().toArray(String[]::new)).asLocal(),
                Option.of(REASONING_PARSER, OptionType.TEXT,
                        "How the model writes what it thinks before it answers; without it that is a part of the answer.")
                        .withChoices(AnswerSyntax.reasoningNames().toArray(String[]::new)).asLocal(),
                Option.of(REASONING_FIELDS, OptionType.TEXT,
                        "What the reasoning is called in chat completions: vLLM's new name, its old one, or both.")
                        .withDefault("both").withChoices("both", "reasoning", "reasoning_content").asLocal());
    }
}
