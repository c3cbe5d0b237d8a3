package org.maniple.serve.openai;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import org.maniple.api.ManipleException;
import org.maniple.api.config.Settings;

/**
 * The keys that clients may present. Only their hashes are kept, and a comparison takes the same time wherever keys differ. A file of keys is
 * read again when it has changed; what is no file of keys any more changes nothing. Safe for use by several threads.
 */
final class ApiKeys {

    private static final Logger LOG = System.getLogger(ApiKeys.class.getName());
    private static final String SCHEME = "Bearer ";
    private static final String MOST = "max-requests=";

    private final List<ApiKey> given;
    private final OptionalInt most;
    private final @Nullable WatchedFiles file;
    private volatile List<ApiKey> keys;

    private ApiKeys(List<ApiKey> given, OptionalInt most, Optional<Path> file) {
        this.given = given;
        this.most = most;
        this.file = file.map(path -> new WatchedFiles(List.of(path))).orElse(null);
        this.keys = all(file);
    }

    /**
     * Reads the keys of a configuration.
     *
     * @throws ManipleException if a file of keys cannot be read or is empty
     */
    static ApiKeys of(Settings settings) {
        OptionalInt most = settings.has(OpenAiOptions.MAX_REQUESTS_PER_KEY)
                ? OptionalInt.of(settings.integer(OpenAiOptions.MAX_REQUESTS_PER_KEY))
                : OptionalInt.empty();
        List<ApiKey> given = settings.optionalText(OpenAiOptions.API_KEY).filter(key -> !key.isBlank())
                .map(key -> new ApiKey(hash(key), most)).stream().toList();
        return new ApiKeys(given, most, settings.optionalText(OpenAiOptions.API_KEY_FILE).map(Path::of));
    }

    boolean areRequired() {
        return !keys.isEmpty();
    }

    /** The key that the {@code Authorization} header, or Anthropic's {@code x-api-key}, has. */
    Optional<ApiKey> find(HttpHeaders headers) {
        refresh();
        if (keys.isEmpty()) {
            return Optional.empty();
        }
        ApiKey found = find(headers.get(HttpHeaderNames.AUTHORIZATION, ""));
        return Optional.ofNullable(found != null ? found : find(SCHEME + headers.get("x-api-key", "")));
    }

    private @Nullable ApiKey find(String shown) {
        boolean bearer = shown.regionMatches(true, 0, SCHEME, 0, SCHEME.length());
        byte[] hash = hash(bearer ? shown.substring(SCHEME.length()).strip() : "");
        ApiKey found = null;
        for (ApiKey candidate : keys) {
            found = candidate.has(hash) ? candidate : found;
        }
        return bearer ? found : null;
    }

    private void refresh() {
        if (file != null && file.haveChanged()) {
            try {
                List<ApiKey> earlier = keys;
                keys = all(Optional.of(file.first())).stream().map(key -> earlier.stream().filter(key::isSame).findFirst()
                        .map(key::continuing).orElse(key)).toList();
                LOG.log(Level.INFO, "{0} has been read again: {1} keys", file.first(), keys.size());
            } catch (ManipleException unreadable) {
                LOG.log(Level.WARNING, "The keys stay as they were: {0}", unreadable.getMessage());
            }
        }
    }

    private List<ApiKey> all(Optional<Path> path) {
        List<ApiKey> all = new ArrayList<>(given);
        path.ifPresent(there -> all.addAll(read(there)));
        return List.copyOf(all);
    }

    private List<ApiKey> read(Path path) {
        try {
            List<ApiKey> found = Files.readAllLines(path, StandardCharsets.UTF_8).stream()
                    .map(String::strip)
                    .filter(line -> !line.isEmpty() && !line.startsWith("#"))
                    .map(line -> key(line, path))
                    .toList();
            if (found.isEmpty()) {
                throw new ManipleException(
                        OpenAiOptions.API_KEY_FILE + " [" + path + "] has no key in it; write one key on each line");
            }
            return found;
        } catch (IOException e) {
            throw new ManipleException(OpenAiOptions.API_KEY_FILE + " [" + path + "] cannot be read: " + e.getMessage()
                    + "; it must be a UTF-8 text with one key on each line", e);
        }
    }

    /** A line: the key, and perhaps how many requests it may have at the same time. */
    private ApiKey key(String line, Path path) {
        String[] words = line.split("\\s+", -1);
        if (words.length == 1) {
            return new ApiKey(hash(words[0]), most);
        }
        if (words.length > 2 || !words[1].matches(MOST + "[1-9][0-9]{0,8}")) {
            throw new ManipleException(OpenAiOptions.API_KEY_FILE + " [" + path + "] has a line with [" + words[1]
                    + "] after the key; nothing may follow but " + MOST + "N, with N from 1");
        }
        return new ApiKey(hash(words[0]), OptionalInt.of(Integer.parseInt(words[1].substring(MOST.length()))));
    }

    private static byte[] hash(String key) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
