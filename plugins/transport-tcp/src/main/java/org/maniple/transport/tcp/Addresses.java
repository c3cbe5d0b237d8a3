package org.maniple.transport.tcp;

import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.SocketAddress;
import java.net.SocketException;
import org.maniple.api.transport.TransportException;

/** Addresses as ranks exchange them: {@code host:port}, with brackets around an IPv6 host. */
final class Addresses {

    private static final int MAX_PORT = 65535;

    private Addresses() {}

    static String format(String host, int port) {
        return host.indexOf(':') >= 0 && !host.startsWith("[") ? "[" + host + "]:" + port : host + ":" + port;
    }

    static String format(SocketAddress address) {
        return address instanceof InetSocketAddress inet && inet.getAddress() != null
                ? format(inet.getAddress().getHostAddress(), inet.getPort())
                : String.valueOf(address);
    }

    static String host(String address) {
        int colon = address.lastIndexOf(':');
        String host = colon < 0 ? address : address.substring(0, colon);
        return host.startsWith("[") && host.endsWith("]") ? host.substring(1, host.length() - 1) : host;
    }

    static int port(String address) {
        try {
            int port = Integer.parseInt(address.substring(address.lastIndexOf(':') + 1));
            if (address.indexOf(':') > 0 && port > 0 && port <= MAX_PORT) {
                return port;
            }
        } catch (NumberFormatException e) {
            // Said below.
        }
        throw new TransportException("[" + address + "] is not an address; it must be host:port, for example 10.0.0.1:7070");
    }

    /** A rank in a sentence. */
    static String describe(int rank, String address) {
        return "rank " + rank + " (" + address + ")";
    }

    /** Whether both ends of a connection are on this machine. */
    static boolean sameHost(SocketAddress local, SocketAddress remote) {
        return local instanceof InetSocketAddress here && remote instanceof InetSocketAddress there && here.getAddress() != null
                && there.getAddress() != null
                && (here.getAddress().equals(there.getAddress()) || there.getAddress().isLoopbackAddress());
    }

    /** The network interface that has an address. */
    static String interfaceOf(SocketAddress local) {
        try {
            if (local instanceof InetSocketAddress inet) {
                NetworkInterface found = NetworkInterface.getByInetAddress(inet.getAddress());
                return found == null ? inet.getAddress().getHostAddress() : found.getName();
            }
        } catch (SocketException e) {
            // Then the address has to do.
        }
        return String.valueOf(local);
    }
}
