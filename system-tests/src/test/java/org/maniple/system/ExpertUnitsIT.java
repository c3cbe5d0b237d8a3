package org.maniple.system;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.maniple.system.ExpertUnits.Unit;

/** Units of real processes generate what the reference implementation generates, however attention and experts are spread and tokens travel. */
class ExpertUnitsIT {

    private final Distribution distribution = Distribution.find();

    @TempDir
    private Path folder;

    /** With {@code -Dmaniple.units=all} all, or those whose names match {@code -Dmaniple.model}. */
    static Stream<Unit> units() {
        String wanted = System.getProperty("maniple.model", ".*");
        return (OracleUnits.all() ? ExpertUnits.all() : ExpertUnits.always()).stream()
                .filter(unit -> unit.toString().matches(wanted));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("units")
    void tokensAndLogprobsAreTheExpectedOnes(Unit unit) {
        OracleCheck.check(distribution, Oracles.find(unit.model()), unit.keys(), unit.ranks(), folder);
    }

    /** The list is left in target/expert-units.txt. */
    @Test
    void fortyUnitsHaveEveryPairThatTheWholeProductHas() throws IOException {
        List<Unit> all = ExpertUnits.all();
        String list = all.stream().map(Unit::toString).collect(Collectors.joining("\n", "", "\n"));
        Files.writeString(Files.createDirectories(Path.of("target")).resolve("expert-units.txt"), list);

        assertThat(all).hasSizeLessThanOrEqualTo(40).doesNotHaveDuplicates();
        assertThat(pairs(all)).containsAll(pairs(ExpertUnits.product()));
    }

    @Test
    void theOrdinaryTestsStartFiveOfThemWithEveryWayOfSpreadingExperts() {
        List<Unit> always = ExpertUnits.always();

        assertThat(always).hasSize(5);
        assertThat(always.stream().map(Unit::model)).doesNotHaveDuplicates();
        List<Map<String, Integer>> some = Cover.counts(always, Unit::levels);
        List<Map<String, Integer>> whole = Cover.counts(ExpertUnits.product(), Unit::levels);
        for (int factor = 2; factor < whole.size(); factor++) {
            assertThat(some.get(factor)).containsKeys(whole.get(factor).keySet().toArray(String[]::new));
        }
    }

    /** Two levels of different factors that a unit has; counted here once more, apart from what chooses. */
    private static Set<String> pairs(List<Unit> units) {
        var pairs = new HashSet<String>();
        for (Unit unit : units) {
            List<String> levels = unit.levels();
            for (String first : levels) {
                for (String second : levels.subList(levels.indexOf(first) + 1, levels.size())) {
                    if (!first.isEmpty() && !second.isEmpty()) {
                        pairs.add(first + " with " + second);
                    }
                }
            }
        }
        return pairs;
    }
}
