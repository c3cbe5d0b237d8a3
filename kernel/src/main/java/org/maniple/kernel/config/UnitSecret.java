package org.maniple.kernel.config;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/** The secret that the ranks of a unit prove to each other. Never printed. */
public final class UnitSecret {

    private static final int SHORTEST = 16;
    private static final long LONGEST = 4096;

    private final byte[] bytes;

    private UnitSecret(byte[] bytes) {
        this.bytes = bytes;
    }

    /** From the key or the file that the configuration names; empty if it names neither, or after a problem. */
    static Optional<UnitSecret> read(EffectiveSettings settings, Problems problems) {
        boolean inline = settings.has(KernelOptions.UNIT_SECRET);
        boolean inFile = settings.has(KernelOptions.UNIT_SECRET_FILE);
        if (inline && inFile) {
            problems.add(settings.source(KernelOptions.UNIT_SECRET_FILE), KernelOptions.UNIT_SECRET_FILE,
                    "unit-secret is given too (" + settings.source(KernelOptions.UNIT_SECRET) + "); give one of the two");
            return Optional.empty();
        }
        if (inline) {
            return checked(settings.text(KernelOptions.UNIT_SECRET).getBytes(StandardCharsets.UTF_8), settings,
                    KernelOptions.UNIT_SECRET, problems);
        }
        return inFile ? readFile(settings, problems) : Optional.empty();
    }

    private static Optional<UnitSecret> readFile(EffectiveSettings settings, Problems problems) {
        String key = KernelOptions.UNIT_SECRET_FILE;
        String file = settings.text(key);
        try {
            return readFile(Path.of(file), settings, problems);
        } catch (IOException | InvalidPathException e) {
            problems.add(settings.source(key), key, "[" + file + "] cannot be read: " + e + "; check its path and permissions");
            return Optional.empty();
        }
    }

    private static Optional<UnitSecret> readFile(Path file, EffectiveSettings settings, Problems problems) throws IOException {
        String key = KernelOptions.UNIT_SECRET_FILE;
        if (!Files.isRegularFile(file)) {
            problems.add(settings.source(key), key, "there is no file [" + file.toAbsolutePath() + "]");
            return Optional.empty();
        }
        if (Files.size(file) > LONGEST) {
            problems.add(settings.source(key), key,
                    "[" + file + "] has " + Files.size(file) + " bytes; a secret has at most " + LONGEST);
            return Optional.empty();
        }
        return checked(Files.readString(file).strip().getBytes(StandardCharsets.UTF_8), settings, key, problems);
    }

    private static Optional<UnitSecret> checked(byte[] bytes, EffectiveSettings settings, String key, Problems problems) {
        if (bytes.length < SHORTEST) {
            problems.add(settings.source(key), key, "the secret has " + bytes.length + " bytes; give at least " + SHORTEST
                    + ", for example from [openssl rand -hex 16]");
            return Optional.empty();
        }
        return Optional.of(new UnitSecret(bytes));
    }

    /**
     * The secret itself.
     *
     * @return a copy
     */
    public byte[] bytes() {
        return Arrays.copyOf(bytes, bytes.length);
    }

    @Override
    public String toString() {
        return "(hidden)";
    }
}
