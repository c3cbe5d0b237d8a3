package org.maniple.kernel.plugin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.maniple.api.ApiVersion;

class ApiRangeTest {

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "[1.0,2) | 1.0 | true", "[1.0,2) | 1.9 | true", "[1.0,2) | 2.0 | false", "[1.3,2) | 1.2 | false",
        "(1.3,2.1] | 1.3 | false",
        "(1.3,2.1] | 2.1 | true", "[1.2,) | 7.0 | true", "(,2) | 1.0 | true", "1.3 | 1.3 | true", "1.3 | 1.4 | true",
        "1.3 | 1.2 | false",
        "1.3 | 2.0 | false", "1 | 1.7 | true"})
    void aRangeContainsWhatItSays(String range, String version, boolean contained) {
        assertThat(ApiRange.parse(range).contains(ApiVersion.parse(version))).isEqualTo(contained);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "[1.0", "[1.0;2)", "one", "1.0.0", "[a,b)"})
    void anythingElseIsRefused(String range) {
        assertThatIllegalArgumentException().isThrownBy(() -> ApiRange.parse(range));
    }
}
