package org.maniple.system;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.maniple.system.OracleUnits.Unit;

/** Units of real processes generate what the reference implementation generates, however the model is spread. */
class OracleUnitsIT {

    private final Distribution distribution = Distribution.find();

    @TempDir
    private Path folder;

    static Stream<Unit> units() {
        return OracleUnits.all()
                ? Stream.concat(OracleUnits.ALWAYS.stream(), OracleUnits.MORE.stream())
                : OracleUnits.ALWAYS.stream();
    }

    @ParameterizedTest
    @MethodSource("units")
    void tokensAndLogprobsAreTheExpectedOnes(Unit unit) {
        OracleCheck.check(distribution, Oracles.find(unit.model()), unit.layout().keys(), unit.layout().ranks(), folder);
    }

    @Test
    void theCoverHasEveryCheckpointAndEveryLayoutInAtMostTwentyUnits() {
        List<Unit> all = Stream.concat(OracleUnits.ALWAYS.stream(), OracleUnits.MORE.stream()).toList();

        assertThat(OracleUnits.ALWAYS).hasSizeLessThanOrEqualTo(8);
        assertThat(all.stream().map(Unit::model)).containsAll(OracleUnits.MODELS);
        assertThat(all).hasSizeLessThanOrEqualTo(20).doesNotHaveDuplicates();
        assertThat(all.stream().map(Unit::layout).collect(Collectors.toSet())).isEqualTo(Set.copyOf(OracleUnits.LAYOUTS));
    }
}
