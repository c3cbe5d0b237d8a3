package org.maniple.kernel.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.maniple.api.config.Derived;
import org.maniple.api.config.Option;
import org.maniple.api.config.OptionType;
import org.maniple.api.config.Settings;
import org.maniple.api.mesh.AxisRule;
import org.maniple.api.mesh.Mesh;
import org.maniple.api.mesh.MeshDimension;
import org.maniple.api.mesh.Parallelism;
import org.maniple.kernel.plugin.ExtensionKind;

/** Values that a parallelism makes of what was given, and what it says about sizes that do not fit. */
class DerivedValuesTest {

    @TempDir
    Path root;

    private UnitConfiguration flags(String... flags) {
        return installation().flags(flags);
    }

    private TestInstallation installation() {
        return new TestInstallation(root).with(ExtensionKind.PARALLELISM, new Halving());
    }

    @Test
    void aSpellingMayCountOtherwiseThanItsKey() {
        assertThat(flags("--tp", "4", "--halve").mesh().sizes()).containsExactly(1, 1, 2);
        assertThat(flags("-tp", "4", "--halve").mesh().ranks()).isEqualTo(2);
        assertThat(installation().yaml("tp: 4", "halve: true").mesh().ranks()).isEqualTo(2);
        assertThat(flags("--tensor-parallel-size", "4", "--halve").mesh().ranks()).isEqualTo(4);
        assertThat(installation().yaml("tensor-parallel-size: 4", "halve: true").mesh().ranks()).isEqualTo(4);
        assertThat(installation().variable("MANIPLE_TENSOR_PARALLEL_SIZE", "4").flags("--halve").mesh().ranks()).isEqualTo(4);
    }

    @Test
    void whatIsDerivedIsShownWithTheOldValueAndTheReason() {
        UnitConfiguration configuration = flags("--tp", "4", "--halve");

        assertThat(configuration.notices()).containsExactly("tensor-parallel-size: 4 → 2, because --tp counts both halves");
        assertThat(configuration.settings().render())
                .anyMatch(line -> line.matches("tensor-parallel-size +2 +derived: 4 → 2, because --tp counts both halves"));
    }

    @Test
    void aRankThatLaunchStartsDerivesTheSame() {
        assertThat(installation().rank("--tp", "4", "--halve", "--local-rank", "1").mesh().ranks()).isEqualTo(2);
    }

    @Test
    void sizesThatDoNotFitTheRanksThatAreThereMayBeMeantOtherwise() {
        assertThatThrownBy(() -> flags("--tp", "4", "--pp", "4", "--nnodes", "2", "--node-rank", "0", "--ranks-per-node", "2",
                "--dist-init-addr", "a:1", "--unit-secret", TestInstallation.SECRET))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("--ranks-per-node: pp=4 x tp=4 needs 16 ranks, 4 present; did you mean --halve?");
        assertThatThrownBy(() -> installation().variables("SLURM_NTASKS=4", "SLURM_PROCID=0", "SLURM_NODEID=0", "SLURM_NNODES=1",
                "SLURM_LOCALID=0", "SLURM_JOB_ID=1", "SLURM_STEP_ID=0", "SLURM_JOB_NODELIST=a").rank("--tp", "4", "--pp", "4"))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("pp=4 x tp=4 needs 16 ranks, 4 present; did you mean --halve?");
    }

    @Test
    void manyMoreRanksThanProcessorsMayBeMeantOtherwise() {
        assertThat(flags("--tp", "8", "--pp", "8").notices())
                .anyMatch(line -> line.endsWith("check that all of them are meant; did you mean --halve?"));
    }

    /** With {@code halve} the short spelling of the tensor-parallel size counts double. */
    private record Halving() implements Parallelism {

        @Override
        public String name() {
            return "halving";
        }

        @Override
        public List<Option> options() {
            return List.of(Option.of("halve", OptionType.BOOLEAN, "Counts otherwise.").withDefault("false"));
        }

        @Override
        public List<MeshDimension> dimensions() {
            return List.of(new MeshDimension("h", 1));
        }

        @Override
        public int size(MeshDimension dimension, Settings settings) {
            return 1;
        }

        @Override
        public List<AxisRule> rules(Settings settings) {
            return List.of();
        }

        @Override
        public List<Derived> derive(Settings settings) {
            String key = "tensor-parallel-size";
            return settings.flag("halve") && settings.spelling(key).equals("tp")
                    ? List.of(new Derived(key, Integer.toString(settings.integer(key) / 2), "because --tp counts both halves"))
                    : List.of();
        }

        @Override
        public Optional<String> otherReading(Mesh mesh, Settings settings) {
            return Optional.of("did you mean --halve?");
        }
    }
}
