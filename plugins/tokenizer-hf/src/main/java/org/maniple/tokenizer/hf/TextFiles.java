package org.maniple.tokenizer.hf;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.maniple.api.checkpoint.CompanionFiles;
import org.maniple.api.checkpoint.TokenizerParts;

/** Where the files about a model's texts come from. */
sealed interface TextFiles {

    /** A file for messages. */
    String label(String name);

    /** The bytes of a file; empty where there is no such file. */
    Optional<byte[]> read(String name, long largest);

    /** The tokenizer in parts, where its file need not be read. */
    Optional<TokenizerParts> tokenizer();

    /** Files of a directory. */
    record InDirectory(Path directory) implements TextFiles {
        @Override
        public String label(String name) {
            return directory.resolve(name).toString();
        }

        @Override
        public Optional<byte[]> read(String name, long largest) {
            Path file = directory.resolve(name);
            return Files.isRegularFile(file) ? Optional.of(BoundedFiles.read(file, largest)) : Optional.empty();
        }

        @Override
        public Optional<TokenizerParts> tokenizer() {
            return Optional.empty();
        }
    }

    /** What a checkpoint has in place of files. */
    record Provided(CompanionFiles files) implements TextFiles {
        @Override
        public String label(String name) {
            return files.origin() + " (as " + name + ")";
        }

        @Override
        public Optional<byte[]> read(String name, long largest) {
            Optional<byte[]> content = files.read(name);
            content.filter(bytes -> bytes.length > largest).ifPresent(bytes -> {
                throw new TokenizerFileException(label(name), "",
                        "is " + bytes.length + " bytes long, more than the " + largest + " accepted");
            });
            return content;
        }

        @Override
        public Optional<TokenizerParts> tokenizer() {
            return files.tokenizer();
        }
    }
}
