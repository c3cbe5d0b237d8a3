package org.maniple.serve.openai;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import java.util.Optional;

/** What a header must be like before the body is read. */
final class HeaderRules {

    private HeaderRules() {}

    static Optional<ApiException> problem(HttpRequest request, HttpLimits limits) {
        HttpHeaders headers = request.headers();
        HttpVersion version = request.protocolVersion();
        if (!version.equals(HttpVersion.HTTP_1_1) && !version.equals(HttpVersion.HTTP_1_0)) {
            return problem(505, "Only HTTP/1.1 and HTTP/1.0 are spoken here.");
        }
        if (headers.size() > limits.headers()) {
            return problem(431,
                    "The request has " + headers.size() + " header lines; at most " + limits.headers() + " are allowed.");
        }
        if (version.equals(HttpVersion.HTTP_1_0) && headers.contains(HttpHeaderNames.TRANSFER_ENCODING)) {
            return problem(400, "HTTP/1.0 knows no Transfer-Encoding.");
        }
        int hosts = headers.getAll(HttpHeaderNames.HOST).size();
        if (hosts > 1 || hosts == 0 && version.equals(HttpVersion.HTTP_1_1)) {
            return problem(400, "The request must have exactly one Host header; it has " + hosts + ".");
        }
        String encoding = headers.get(HttpHeaderNames.CONTENT_ENCODING, "identity");
        if (!encoding.equalsIgnoreCase("identity")) {
            return problem(415, "Compressed bodies are not accepted; send the body without Content-Encoding.");
        }
        if (HttpUtil.getContentLength(request, 0L) > limits.bodyBytes()) {
            return Optional.of(tooLong(limits));
        }
        String expectation = headers.get(HttpHeaderNames.EXPECT);
        if (expectation != null && !HttpHeaderValues.CONTINUE.contentEqualsIgnoreCase(expectation)) {
            return problem(417, "The only expectation that can be met is 100-continue.");
        }
        return Optional.empty();
    }

    static ApiException tooLong(HttpLimits limits) {
        return ApiException.of(413, "The body is longer than " + limits.bodyBytes()
                + " bytes; send less, or raise http-max-body-size at the server.");
    }

    private static Optional<ApiException> problem(int status, String message) {
        return Optional.of(ApiException.of(status, message));
    }
}
