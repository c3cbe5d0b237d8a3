package org.maniple.serve.openai;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.maniple.api.ManipleException;
import org.maniple.api.config.Settings;

/**
 * Keeps web pages from using a server through the browser of somebody who looks at them. A page of another origin may not ask for
 * anything that has an effect; and a server that only this machine can reach, and that has no key, answers only to names of this
 * machine, since the owner of any other name could let it point here.
 *
 * @param onlyLocalNames whether the server is such a one
 * @param host the name or address that the configuration listens on
 * @param allowed other origins whose pages may do so all the same, since the configuration names them; a star allows all
 */
record OriginRules(boolean onlyLocalNames, String host, Set<String> allowed) {

    private static final String ALL = "*";

    OriginRules {
        allowed = Set.copyOf(allowed);
    }

    /**
     * Reads a configuration.
     *
     * @throws ManipleException if what it allows is no origin, or too much
     */
    static OriginRules of(Settings settings, boolean onlyLocalNames, boolean keysAreRequired) {
        Set<String> allowed = settings.has(OpenAiOptions.ALLOWED_ORIGINS)
                ? settings.texts(OpenAiOptions.ALLOWED_ORIGINS).stream().map(origin -> origin.toLowerCase(Locale.ROOT))
                        .collect(Collectors.toSet())
                : Set.of();
        for (String origin : allowed) {
            if (!origin.equals(ALL) && !origin.matches("https?://[^/?#@\\s]+")) {
                throw new ManipleException(OpenAiOptions.ALLOWED_ORIGINS + " [" + origin
                        + "] is no origin; write it as browsers do, for example https://chat.example.org");
            }
        }
        if (allowed.contains(ALL) && !keysAreRequired) {
            throw new ManipleException(
                    OpenAiOptions.ALLOWED_ORIGINS + " [*] without an api-key would let every page that somebody looks at"
                            + " use this server; name the origins, or set api-key-file");
        }
        return new OriginRules(onlyLocalNames, settings.text("host"), allowed);
    }

    /** The origin of a request whose pages may read answers, as the configuration says. */
    Optional<String> shared(HttpRequest request) {
        String origin = request.headers().get(HttpHeaderNames.ORIGIN);
        return Optional.ofNullable(origin).filter(one -> allowed.contains(ALL) || allowed.contains(one.toLowerCase(Locale.ROOT)));
    }

    private static final Set<HttpMethod> WITHOUT_EFFECT = Set.of(HttpMethod.GET, HttpMethod.HEAD);

    Optional<ApiException> problem(HttpRequest request) {
        String authority = request.headers().get(HttpHeaderNames.HOST, "");
        if (onlyLocalNames && !isLocal(name(authority))) {
            return Optional.of(ApiException.of(403, "This server answers only to names of its own machine, not to ["
                    + ApiException.shown(authority) + "]; to serve under other names, set an api-key."));
        }
        String origin = request.headers().get(HttpHeaderNames.ORIGIN);
        if (origin != null && !WITHOUT_EFFECT.contains(request.method()) && !isSame(origin, authority)
                && shared(request).isEmpty()) {
            return Optional.of(ApiException.of(403, "Pages of another origin may not use this server."));
        }
        return Optional.empty();
    }

    private boolean isLocal(String name) {
        return name.isEmpty() || name.equals("localhost") || name.endsWith(".localhost")
                || name.equals(host.toLowerCase(Locale.ROOT)) || isAddress(name);
    }

    private static boolean isSame(String origin, String authority) {
        int scheme = origin.indexOf("://");
        return scheme > 0 && origin.substring(scheme + 3).equalsIgnoreCase(authority);
    }

    private static boolean isAddress(String name) {
        return name.startsWith("[") || name.chars().allMatch(c -> c == '.' || c >= '0' && c <= '9');
    }

    private static String name(String authority) {
        String lower = authority.strip().toLowerCase(Locale.ROOT);
        int bracket = lower.indexOf(']');
        int colon = lower.indexOf(':', Math.max(bracket, 0));
        return colon < 0 ? lower : lower.substring(0, colon);
    }
}
