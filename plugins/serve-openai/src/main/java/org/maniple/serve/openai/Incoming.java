package org.maniple.serve.openai;

import io.netty.handler.codec.http.HttpRequest;
import java.util.Optional;

/**
 * A request as it came from the connection.
 *
 * @param head request line and headers
 * @param body the whole body
 * @param refusal why it is not even looked at; the connection ends after the answer
 */
record Incoming(HttpRequest head, byte[] body, Optional<ApiException> refusal) {}
