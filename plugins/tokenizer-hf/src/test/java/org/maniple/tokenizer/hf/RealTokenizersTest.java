package org.maniple.tokenizer.hf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Published tokenizers give the reference's ids, texts and streams. Their files belong to others and are not in the repository:
 * {@code src/test/scripts/fetch-real-tokenizers DIR} fetches them, {@code -Dmaniple.tokenizers.real=DIR} points here.
 */
class RealTokenizersTest {

    @TestFactory
    Stream<DynamicTest> everyPublishedTokenizerAgreesWithTheReference() {
        return Oracle.files("tokenizers/real", ".json").stream()
                .map(file -> DynamicTest.dynamicTest(file.getFileName().toString(), () -> compare(file)));
    }

    private static void compare(Path goldenFile) throws Exception {
        var folder = System.getProperty("maniple.tokenizers.real", "");
        assumeTrue(!folder.isEmpty(), "no published tokenizers; fetch them and give -Dmaniple.tokenizers.real=DIR");
        var goldens = Oracle.json(goldenFile);
        var tokenizer = Path.of(folder).resolve(goldenFile.getFileName());
        assumeTrue(Files.isRegularFile(tokenizer), "no " + tokenizer);
        var digest = MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(tokenizer));
        assertEquals(goldens.get("source").get("sha256").stringValue(), HexFormat.of().formatHex(digest),
                "another version of the file");
        assertTrue(new TokenizerGoldens(goldens, tokenizer).compareAll() > 250, "suspiciously few goldens");
    }
}
