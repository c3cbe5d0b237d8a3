package org.maniple.kernel.config;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What vLLM and SGLang call things: the one table of spellings that mean the same here, and the fixed list of those that mean nothing. */
final class FieldSpellings {

    /** A spelling's key, and what the key is about. */
    record Meaning(String key, String subject) {}

    /** A flag without effect. */
    record NoEffect(boolean takesValue, String reason) {}

    private final Map<String, Meaning> meanings = new LinkedHashMap<>();
    private final Map<String, String> negations = new LinkedHashMap<>();
    private final Map<String, NoEffect> withoutEffect = new LinkedHashMap<>();

    FieldSpellings() {
        for (String[] row : rows("spellings.txt")) {
            if (row[1].startsWith("!")) {
                negations.put(row[0], row[1].substring(1));
            } else {
                meanings.put(row[0], new Meaning(row[1], row[2]));
            }
        }
        for (String[] row : rows("accepted-without-effect.txt")) {
            withoutEffect.put(row[0], new NoEffect(row[1].equals("value"), row[2]));
        }
    }

    private static List<String[]> rows(String resource) {
        try (InputStream in = FieldSpellings.class.getResourceAsStream(resource)) {
            if (in == null) {
                throw new IllegalStateException("resource " + resource + " is missing");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8).lines()
                    .filter(line -> !line.isBlank() && !line.startsWith("#"))
                    .map(line -> line.strip().split("\\s+", 3))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Map<String, Meaning> meanings() {
        return Map.copyOf(meanings);
    }

    Optional<Meaning> meaning(String spelling) {
        return Optional.ofNullable(meanings.get(spelling));
    }

    /** The key that a spelling is the negation of. */
    Optional<String> negation(String spelling) {
        return Optional.ofNullable(negations.get(spelling));
    }

    Optional<NoEffect> withoutEffect(String spelling) {
        return Optional.ofNullable(withoutEffect.get(spelling));
    }

    /** Spellings of keys that a plugin would declare; those of the kernel's own keys come from here too. */
    List<String> spellingsOf(String key) {
        return meanings.entrySet().stream().filter(entry -> entry.getValue().key().equals(key)).map(Map.Entry::getKey).toList();
    }
}
