package org.maniple.kernel.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.maniple.api.config.Derived;

/** Who decides how a model is spread. */
class PlannedLayoutTest {

    @TempDir
    Path root;

    private TestInstallation installation;
    private final List<UnitWish> asked = new ArrayList<>();

    @BeforeEach
    void installation() {
        installation = new TestInstallation(root).chooser(wish -> {
            asked.add(wish);
            return List.of(new Derived("tensor-parallel-size", "4", "it is the best"));
        });
    }

    @Test
    void nobodyIsAskedUnlessTheUserLeavesItOpen() {
        assertThat(installation.flags("--tp", "2").mesh().ranks()).isEqualTo(2);
        assertThat(asked).isEmpty();
    }

    @Test
    void whatIsDecidedIsShownWithItsReason() {
        UnitConfiguration configuration = installation.flags("--parallel", "auto", "--ranks-per-node", "4");

        assertThat(configuration.mesh().ranks()).isEqualTo(4);
        assertThat(configuration.notices()).contains("tensor-parallel-size: 1 → 4, it is the best");
        assertThat(asked).singleElement().satisfies(wish -> assertThat(wish.ranks()).isEqualTo(4));
    }

    @Test
    void theRanksMustBeKnownThen() {
        assertThatThrownBy(() -> installation.yaml("parallel: auto")).isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("ranks-per-node: nothing says how many ranks there are");
        assertThat(asked).isEmpty();
    }

    @Test
    void aPlatformThatStartsRanksSaysHowManyThereAre() {
        installation.variables("SLURM_NODEID=0", "SLURM_NNODES=1", "SLURM_PROCID=2", "SLURM_NTASKS=4", "SLURM_LOCALID=2");

        assertThat(installation.rank("--parallel", "auto").topology().rank()).hasValue(2);
        assertThat(asked).singleElement().satisfies(wish -> assertThat(wish.ranksPerNode()).containsExactly(4));
    }

    @Test
    void aPlanKnowsTheRanksOfEachNode() {
        UnitWish wish = installation.reader().readForPlan(Optional.empty(),
                List.of("--model", "models/demo", "--nnodes", "2", "--ranks-per-node", "4,8"));

        assertThat(wish.ranksPerNode()).containsExactly(4, 8);
        assertThatThrownBy(() -> installation.reader().readForPlan(Optional.empty(),
                List.of("--model", "models/demo", "--nnodes", "2", "--ranks-per-node", "4,8,8")))
                .hasMessageContaining("[4, 8, 8] has 3 entries for nnodes 2");
    }

    @Test
    void sizesOfAMeshAreTriedWithoutChangingTheWish() {
        UnitWish wish = installation.reader().readForPlan(Optional.empty(),
                List.of("--model", "models/demo", "--ranks-per-node", "4", "--tp", "2"));

        assertThat(wish.compose(wish.settings().derive("pipeline-parallel-size", "2", "tried")).mesh().orElseThrow().ranks())
                .isEqualTo(4);
        assertThat(wish.compose(wish.settings().derive("tp-weights", "1,2,3", "tried")).problems())
                .containsExactly("tp-weights: 3 weights for 2 ranks; give as many");
        assertThat(wish.without(List.of("tensor-parallel-size")).settings().given("tensor-parallel-size")).isFalse();
    }
}
