package org.maniple.tokenizer.hf;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** The published tokenizers' pipelines around small vocabularies give the reference's ids, texts and streams. */
class TinyTokenizersTest {

    @TestFactory
    Stream<DynamicTest> everyTinyTokenizerAgreesWithTheReference() {
        return Oracle.files("tokenizers/tiny", ".json").stream().filter(file -> !name(file).endsWith(".tokenizer.json"))
                .map(file -> DynamicTest.dynamicTest(name(file), () -> {
                    var goldens = Oracle.json(file);
                    var tokenizer = file.resolveSibling(goldens.get("source").get("file").stringValue());
                    assertTrue(new TokenizerGoldens(goldens, tokenizer).compareAll() > 250, "suspiciously few goldens");
                }));
    }

    private static String name(Path file) {
        return file.getFileName().toString();
    }
}
