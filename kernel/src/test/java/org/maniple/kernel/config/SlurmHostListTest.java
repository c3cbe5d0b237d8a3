package org.maniple.kernel.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SlurmHostListTest {

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"n1 | n1", "n[01-03,07] | n01 n02 n03 n07", "a,b[9-11]-ib,c | a b9-ib b10-ib b11-ib c",
        "r[1-2]n[1-2] | r1n1 r1n2 r2n1 r2n2", "gpu[8] | gpu8"})
    void aListIsExpandedInOrder(String text, String hosts) {
        assertThat(SlurmHostList.expand(text)).containsExactly(hosts.split(" "));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a,,b", "n[1-", "n]1[", "n[[1]]", "n[2-1]", "n[x]", "n[]", "n[1-999999999]"})
    void anythingElseIsRefused(String text) {
        assertThatIllegalArgumentException().isThrownBy(() -> SlurmHostList.expand(text));
    }

    @Test
    void aListCannotGrowBeyondItsBound() {
        assertThatIllegalArgumentException().isThrownBy(() -> SlurmHostList.expand("a[1-9999]b[1-9999]c[1-9999]"))
                .withMessageContaining("more than 65536 hosts");
    }
}
