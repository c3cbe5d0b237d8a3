package org.maniple.kernel.config;

/**
 * A host and a port.
 *
 * @param host a name or address, without brackets
 * @param port 1 to 65535, or 0 for any free one
 */
public record HostPort(String host, int port) {

    /** Reads {@code host}, {@code host:port}, {@code [::1]:port} or a bare IPv6 address; throws {@link IllegalArgumentException}. */
    static HostPort parse(String text, int defaultPort) {
        String rest = text.strip().replaceFirst("^tcp://", "");
        if (rest.startsWith("[") && rest.contains("]")) {
            int close = rest.indexOf(']');
            String after = rest.substring(close + 1);
            return of(rest.substring(1, close), after.isEmpty() ? "" : after.replaceFirst("^:", ""), defaultPort, text);
        }
        int colon = rest.indexOf(':');
        if (colon < 0 || colon != rest.lastIndexOf(':')) {
            return of(rest, "", defaultPort, text);
        }
        return of(rest.substring(0, colon), rest.substring(colon + 1), defaultPort, text);
    }

    private static HostPort of(String host, String port, int defaultPort, String text) {
        boolean number = port.isEmpty() || port.matches("\\d{1,5}") && Integer.parseInt(port) <= 65_535;
        if (host.isBlank() || host.matches(".*[\\s/\\[\\]].*") || !number) {
            throw new IllegalArgumentException(
                    "[" + text + "] is not of the form HOST:PORT, for example node-0:29501 or [fd00::1]:29501");
        }
        return new HostPort(host, port.isEmpty() ? defaultPort : Integer.parseInt(port));
    }

    /** Whether only this machine can reach it. */
    boolean loopback() {
        return host.equals("localhost") || host.matches("127(\\.\\d{1,3}){3}") || host.equals("::1");
    }

    @Override
    public String toString() {
        return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
    }
}
