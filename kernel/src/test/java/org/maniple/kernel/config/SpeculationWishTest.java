package org.maniple.kernel.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.maniple.kernel.engine.Speculation;

class SpeculationWishTest {

    @TempDir
    Path root;

    private Speculation flags(String... flags) {
        return SpeculationWish.of(new TestInstallation(root).flags(flags).settings());
    }

    private Speculation yaml(String... lines) {
        return SpeculationWish.of(new TestInstallation(root).yaml(lines).settings());
    }

    @Test
    void nothingIsGuessedUnlessSomebodyAsksForIt() {
        assertThat(flags()).isEqualTo(Speculation.OFF);
    }

    @Test
    void aFlagHoldsJsonAndAFileAMapping() {
        var expected = new Speculation.Lookup(4, 2, 3);
        assertThat(flags("--speculative-config",
                "{\"method\": \"ngram\", \"num_speculative_tokens\": 4, \"prompt_lookup_min\": 2, \"prompt_lookup_max\": 3}"))
                .isEqualTo(expected);
        assertThat(yaml("speculative-config:", "  method: ngram", "  num_speculative_tokens: 4", "  prompt_lookup_min: 2",
                "  prompt_lookup_max: 3")).isEqualTo(expected);
    }

    /** Ranks that are started get their flags from it. */
    @Test
    void whatIsShownCanBeGivenAgain() {
        var settings = new TestInstallation(root).yaml("speculative-config:", "  method: ngram", "  num_speculative_tokens: 4")
                .settings();
        assertThat(settings.shown().get("speculative-config"))
                .isEqualTo("{\"method\": \"ngram\", \"num_speculative_tokens\": 4}");
        assertThat(flags("--speculative-config", settings.shown().get("speculative-config")))
                .isEqualTo(SpeculationWish.of(settings));
    }

    /** As vLLM fills them in. */
    @ParameterizedTest
    @CsvSource({"'', 5, 5", "', \"prompt_lookup_max\": 3', 3, 3", "', \"prompt_lookup_min\": 2', 2, 2"})
    void lengthsThatAreLeftOutFollowFromEachOther(String more, int shortest, int longest) {
        assertThat(flags("--speculative-config", "{\"method\": \"ngram\", \"num_speculative_tokens\": 1" + more + "}"))
                .isEqualTo(new Speculation.Lookup(1, shortest, longest));
    }

    @Test
    void sglangCountsTheKnownTokenToo() {
        assertThat(flags("--speculative-algorithm", "NGRAM").tokens()).isEqualTo(11);
        assertThat(flags("--speculative-algorithm", "NGRAM", "--speculative-num-draft-tokens", "5").tokens()).isEqualTo(4);
        assertThat(flags("--speculative-algorithm", "NGRAM", "--speculative-num-steps", "3").tokens()).isEqualTo(3);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "{\"method\": \"ngram\"} | it has no [num_speculative_tokens]; give a number, for example 5",
        "{\"num_speculative_tokens\": 5} | it has no [method]; give one of",
        "{\"method\": \"eagle\", \"num_speculative_tokens\": 5} | method [eagle] is not supported, since it needs a second model",
        "{\"method\": \"ngram\", \"num_speculative_tokens\": 99} | num_speculative_tokens [99] must be from 1 to 16",
        "{\"method\": \"ngram\", \"num_speculative_tokens\": \"x\"} | num_speculative_tokens [x] is not a whole number",
        "{\"method\": \"ngram\", \"num_speculativ_tokens\": 5} | did you mean [num_speculative_tokens]?",
        "{\"method\": \"ngram\", \"num_speculative_tokens\": 5, \"prompt_lookup_min\": 4, \"prompt_lookup_max\": 2} | runs of 4",
        "{\"method\": \"ngram\", \"num_speculative_tokens\": [5]} | [num_speculative_tokens] is no plain value",
        "{\"method\": | is no JSON object", "ngram | is no JSON object"})
    void aMistakeIsExplained(String json, String message) {
        assertThatThrownBy(() -> flags("--speculative-config", json)).isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("--speculative-config: ").hasMessageContaining(message);
    }

    @Test
    void twoWaysToAskForItContradictEachOther() {
        assertThatThrownBy(() -> flags("--speculative-algorithm", "NGRAM", "--speculative-config",
                "{\"method\": \"ngram\", \"num_speculative_tokens\": 5}"))
                .hasMessageContaining(
                        "speculative-algorithm (--speculative-algorithm) says how to guess, too; give one of the two");
    }

    @Test
    void aTreeOfGuessesIsRefused() {
        assertThatThrownBy(() -> flags("--speculative-algorithm", "NGRAM", "--speculative-eagle-topk", "4"))
                .hasMessageContaining("one token is guessed at each place");
    }
}
