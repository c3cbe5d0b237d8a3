package org.maniple.kernel.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whatever a file, the flags or a variable contain: the answer is a configuration or a list of mistakes, nothing else. */
class HostileConfigurationTest {

    private static final long SEED = 20_26;

    @TempDir
    Path root;

    private final Random random = new Random(SEED);

    private String mutated(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        for (int edits = 1 + random.nextInt(4); edits > 0; edits--) {
            bytes[random.nextInt(bytes.length)] = (byte) "\n :-[]{}\"'#&*|>%@`,?!\t0z\u0000\u0080".charAt(random.nextInt(26));
        }
        return new String(bytes, StandardCharsets.UTF_8);
    }

    private static boolean answers(Runnable reading) {
        try {
            reading.run();
            return true;
        } catch (ConfigurationException e) {
            assertThat(e.problems()).isNotEmpty().allSatisfy(line -> assertThat(line).isNotBlank());
            return false;
        }
    }

    @Test
    void aMutatedFileIsAConfigurationOrAListOfMistakes() throws IOException {
        var installation = new TestInstallation(root);
        var reader = installation.reader();
        Path file = installation.home().resolve("unit.yaml");
        String good = "model: models/demo\ntp: 2\ntp-weights: [1, 2.5]\nserved-model-name: [a, 'b']\nkv-cache-memory-bytes: 2GiB\n"
                + "plugins:\n  {}\n# a comment\njoin-timeout: 30s\nskip-tokenizer-init: true\n";
        int accepted = 0;
        for (int round = 0; round < 3000; round++) {
            Files.writeString(file, mutated(good));
            accepted += answers(() -> reader.readForNode(Optional.of(file), List.of())) ? 1 : 0;
        }
        assertThat(accepted).isBetween(1, 2999);
    }

    @Test
    void mutatedFlagsAreAConfigurationOrAListOfMistakes() {
        var reader = new TestInstallation(root).reader();
        String good = "--model models/demo --tp 2 --tp-weights 1,2.5 --nnodes 2 --node-rank 1 --dist-init-addr [fd00::1]:500 --no-headless"
                + " --unit-secret 0123456789abcdef --comm-ifname ^docker,lo --kv-cache-memory-bytes=2GiB";
        int accepted = 0;
        for (int round = 0; round < 3000; round++) {
            String line = mutated(good);
            accepted += answers(() -> reader.readForNode(Optional.empty(), List.of(line.split(" ")))) ? 1 : 0;
        }
        assertThat(accepted).isBetween(1, 2999);
    }

    @Test
    void mutatedVariablesOfAPlatformAreAConfigurationOrAListOfMistakes() {
        int accepted = 0;
        for (int round = 0; round < 3000; round++) {
            var installation = new TestInstallation(root).variable("SLURM_NODEID", mutated("1"))
                    .variable("SLURM_NNODES", mutated("2"))
                    .variable("SLURM_JOB_NODELIST", mutated("node-[01-20,40],login[1-2]x"))
                    .variable("NCCL_SOCKET_IFNAME", mutated("^=docker0,lo"));
            accepted += answers(() -> installation.flags("--tp", "2", "--unit-secret", TestInstallation.SECRET)) ? 1 : 0;
        }
        assertThat(accepted).isBetween(1, 2999);
    }
}
