package org.maniple.serve.openai;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.List;
import org.maniple.api.ManipleException;
import org.maniple.api.config.Settings;

/** The keys that clients may present. Only their hashes are kept, and a comparison takes the same time wherever keys differ. */
final class ApiKeys {

    private static final String SCHEME = "Bearer ";

    private final List<byte[]> hashes;

    private ApiKeys(List<byte[]> hashes) {
        this.hashes = hashes;
    }

    /**
     * Reads the keys of a configuration.
     *
     * @throws ManipleException if a file of keys cannot be read or is empty
     */
    static ApiKeys of(Settings settings) {
        List<String> keys = new ArrayList<>();
        settings.optionalText(OpenAiOptions.API_KEY).filter(key -> !key.isBlank()).ifPresent(keys::add);
        settings.optionalText(OpenAiOptions.API_KEY_FILE).ifPresent(file -> keys.addAll(read(Path.of(file))));
        return new ApiKeys(keys.stream().map(ApiKeys::hash).toList());
    }

    boolean areRequired() {
        return !hashes.isEmpty();
    }

    /** Whether the {@code Authorization} header, or Anthropic's {@code x-api-key}, has one of the keys. */
    boolean accept(HttpHeaders headers) {
        if (hashes.isEmpty()) {
            return true;
        }
        return accept(headers.get(HttpHeaderNames.AUTHORIZATION, ""))
                || accept(SCHEME + headers.get("x-api-key", ""));
    }

    private boolean accept(String given) {
        boolean bearer = given.regionMatches(true, 0, SCHEME, 0, SCHEME.length());
        byte[] hash = hash(bearer ? given.substring(SCHEME.length()).strip() : "");
        boolean known = false;
        for (byte[] candidate : hashes) {
            known |= MessageDigest.isEqual(candidate, hash);
        }
        return bearer && known;
    }

    private static List<String> read(Path file) {
        try {
            List<String> keys = Files.readAllLines(file, StandardCharsets.UTF_8).stream()
                    .map(String::strip)
                    .filter(line -> !line.isEmpty() && !line.startsWith("#"))
                    .toList();
            if (keys.isEmpty()) {
                throw new ManipleException(
                        OpenAiOptions.API_KEY_FILE + " [" + file + "] has no key in it; write one key on each line");
            }
            return keys;
        } catch (IOException e) {
            throw new ManipleException(OpenAiOptions.API_KEY_FILE + " [" + file + "] cannot be read: " + e.getMessage()
                    + "; it must be a UTF-8 text with one key on each line", e);
        }
    }

    private static byte[] hash(String key) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
