package org.maniple.transport.tcp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.maniple.api.transport.TransportException;

class AddressesTest {

    @Test
    void hostsOfBothFamiliesAreTakenApartAgain() {
        for (String host : new String[] {"node-1", "10.0.0.1", "::1", "fe80::1%eth0"}) {
            String address = Addresses.format(host, 7070);
            assertThat(Addresses.host(address)).isEqualTo(host);
            assertThat(Addresses.port(address)).isEqualTo(7070);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "host", ":7070", "host:", "host:0", "host:65536", "host:-1", "host:seven"})
    void whatIsNoAddressIsNamed(String text) {
        assertThatThrownBy(() -> Addresses.port(text)).isInstanceOf(TransportException.class)
                .hasMessageContaining("[" + text + "]");
    }
}
