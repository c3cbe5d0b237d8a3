package org.maniple.kernel.config;

import java.net.InetAddress;
import java.util.List;

/**
 * A network interface of this machine.
 *
 * @param name for example {@code eth0}
 * @param addresses textual addresses, those of IPv4 first; link-local ones are left out
 * @param loopback whether it leads to this machine only
 */
public record NetworkCard(String name, List<String> addresses, boolean loopback) {

    /** Copies the list. */
    public NetworkCard {
        addresses = List.copyOf(addresses);
    }

    /** Whether it belongs to containers or virtual machines on this host. */
    boolean virtual() {
        return name.matches("(docker|virbr|veth|br-|cni|flannel|cali|kube|podman|lxc|tun|tap).*");
    }

    /** The text of an address without its scope. */
    static String text(InetAddress address) {
        return address.getHostAddress().replaceFirst("%.*", "");
    }

    @Override
    public String toString() {
        return name + " " + addresses;
    }
}
