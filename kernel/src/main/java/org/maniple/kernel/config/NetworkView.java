package org.maniple.kernel.config;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramSocket;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** What a machine's network looks like; an interface so that tests can make one up. */
public interface NetworkView {

    /**
     * The interfaces that are up and have an address.
     *
     * @return in the system's order
     */
    List<NetworkCard> cards();

    /**
     * The address of this machine from which packets to a host would leave.
     *
     * @param host a name or address
     * @return nothing if the name cannot be resolved or there is no route
     */
    Optional<String> addressTowards(String host);

    /**
     * The network of this machine.
     *
     * @return a view that asks the system each time
     */
    static NetworkView ofThisMachine() {
        return new NetworkView() {
            @Override
            public List<NetworkCard> cards() {
                try {
                    var cards = new ArrayList<NetworkCard>();
                    for (NetworkInterface card : NetworkInterface.networkInterfaces().toList()) {
                        List<String> addresses = card.inetAddresses()
                                .filter(address -> !address.isLinkLocalAddress())
                                .sorted(Comparator.comparing(address -> !(address instanceof Inet4Address)))
                                .map(NetworkCard::text)
                                .toList();
                        if (card.isUp() && !addresses.isEmpty()) {
                            cards.add(new NetworkCard(card.getName(), addresses, card.isLoopback()));
                        }
                    }
                    return cards;
                } catch (IOException e) {
                    throw new UncheckedIOException("the network interfaces of this machine cannot be listed", e);
                }
            }

            @Override
            public Optional<String> addressTowards(String host) {
                try (var socket = new DatagramSocket()) {
                    // Connecting a datagram socket sends nothing: the system only looks up the route.
                    socket.connect(new InetSocketAddress(InetAddress.getByName(host), 9));
                    InetAddress local = socket.getLocalAddress();
                    return local.isAnyLocalAddress() ? Optional.empty() : Optional.of(NetworkCard.text(local));
                } catch (IOException | UncheckedIOException e) {
                    return Optional.empty();
                }
            }
        };
    }
}
