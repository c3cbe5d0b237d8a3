package org.maniple.system.nodes;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Pattern;
import org.maniple.system.UnitProcess;

/**
 * One of the machines: a network namespace with a host name, and with loopback, a bridge as Docker makes it, a decoy, and {@code eth0},
 * which alone leads to the other machine.
 *
 * @param namespace its name on the real machine
 * @param host its host name
 * @param address that of its {@code eth0}
 */
record Machine(String namespace, String host, String address) {

    /** The ports that the documentation asks operators to open: one for each rank of a node, from the unit's port on; and the API's. */
    static final int UNIT_PORT = 29501;
    static final int API_PORT = 8000;

    /** Larger than anything that ranks say to watch each other, smaller than what they compute with. */
    private static final int LARGE = 1500;
    /** Where such a packet is changed, from the beginning of its TCP header on. */
    private static final int CHANGED = 600;

    private static final Duration CABLE = Duration.ofSeconds(20);
    private static final Pattern PACKETS = Pattern.compile("packets (\\d+)");

    void build() throws IOException {
        Tool.must("", List.of("ip", "netns", "add", namespace));
        network("link", "set", "dev", "lo", "up");
        network("link", "add", "dev", "docker0", "type", "bridge");
        up("docker0", "172.17.0.1/16");
    }

    /** A cable between {@code eth0} of both. */
    void connect(Machine other) throws IOException {
        Tool.must("",
                List.of("ip", "link", "add", "name", "eth0", "netns", namespace, "type", "veth", "peer", "name", "eth0", "netns",
                        other.namespace));
        up("eth0", address + "/24");
        other.up("eth0", other.address + "/24");
    }

    /** The system may take a second to count an interface with a cable as one that is up. */
    void awaitCable() throws IOException {
        long deadline = System.nanoTime() + CABLE.toNanos();
        while (!Tool.must("", List.of("ip", "-n", namespace, "link", "show", "dev", "eth0")).contains("state UP")) {
            if (System.nanoTime() > deadline) {
                throw new IOException("eth0 of " + host + " did not come up within " + CABLE.toSeconds() + " s");
            }
            LockSupport.parkNanos(Duration.ofMillis(20).toNanos());
        }
    }

    /** An interface that works, leads nowhere, and is the first one that Java lists, as the last one that was made. */
    void addDecoy() throws IOException {
        network("link", "add", "dev", "ens9", "type", "veth", "peer", "name", "ens9p");
        network("link", "set", "dev", "ens9p", "up");
        up("ens9", "192.168.250.1/24");
    }

    private void up(String card, String itsAddress) throws IOException {
        network("addr", "add", itsAddress, "dev", card);
        network("link", "set", "dev", card, "up");
    }

    /** Lets in only what is documented, and counts. */
    void closeFirewall(int ranks) throws IOException {
        Tool.must("""
                table inet firewall {
                    counter opened { }
                    counter dropped { }
                    chain input {
                        type filter hook input priority 0; policy drop;
                        iifname "lo" accept
                        ct state established,related accept
                        tcp dport %d-%d counter name opened accept
                        tcp dport %d accept
                        meta l4proto { tcp, udp } counter name dropped drop
                    }
                }
                """.formatted(UNIT_PORT, UNIT_PORT + ranks - 1, API_PORT), inside("nft", "-f", "-"));
    }

    /**
     * From now on changes a byte of every large packet to a port, after its checksum was left to a network card that a virtual cable does not have: so
     * TCP at the other end takes it for what was sent.
     */
    void corrupt(int port) {
        succeed("""
                table ip corruption {
                    counter changed { }
                    chain output {
                        type filter hook output priority 0;
                        meta length > %d tcp dport %d @th,%d,8 set 0x41 counter name changed
                    }
                }
                """.formatted(LARGE, port, Byte.SIZE * CHANGED), inside("nft", "-f", "-"));
    }

    /** Takes the machine off the network: what is sent to it or by it is lost, and nobody is told. */
    void cutOff() {
        try {
            network("link", "set", "dev", "eth0", "down");
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    boolean isCutOff() {
        return succeed("", List.of("ip", "-n", namespace, "link", "show", "dev", "eth0")).contains("state DOWN");
    }

    /** Packets of which a byte was changed. */
    long corrupted() {
        return packets("ip", "corruption", "changed");
    }

    /** Connections that the firewall has let in to the ports of ranks. */
    long opened() {
        return packets("inet", "firewall", "opened");
    }

    /** Packets that the firewall has stopped. */
    long dropped() {
        return packets("inet", "firewall", "dropped");
    }

    private long packets(String family, String table, String counter) {
        var matcher = PACKETS.matcher(succeed("", inside("nft", "list", "counter", family, table, counter)));
        assertThat(matcher.find()).as("counter " + counter).isTrue();
        return Long.parseLong(matcher.group(1));
    }

    /** Where programs on this machine listen, for example {@code 10.0.0.1:80}. */
    Set<String> listening() {
        var addresses = new TreeSet<String>();
        succeed("", inside("ss", "-ltnH")).lines().forEach(line -> {
            String local = line.strip().split("\\s+")[3];
            addresses.add(local.replaceFirst("^\\[::ffff:([0-9.]+)]", "$1"));
        });
        return addresses;
    }

    /** Starts a command on this machine. Its processes can be seen from the other one, though only this test should do that. */
    UnitProcess start(List<String> command, Map<String, String> variables, Path folder) {
        return start(List.of(), command, variables, folder);
    }

    /** The same with a process name space of its own, as machines have. Signals to what is started do not reach the command. */
    UnitProcess startUnseen(List<String> command, Map<String, String> variables, Path folder) {
        return start(List.of("--pid", "--fork", "--kill-child", "--mount-proc"), command, variables, folder);
    }

    private UnitProcess start(List<String> apart, List<String> command, Map<String, String> variables, Path folder) {
        List<String> named = new ArrayList<>(List.of("unshare", "--uts"));
        named.addAll(apart);
        named.addAll(List.of("sh", "-c", "hostname \"$0\" && exec \"$@\"", host));
        named.addAll(command);
        return UnitProcess.start(inside(named.toArray(String[]::new)), variables, folder,
                host + ": " + variables + " " + String.join(" ", command));
    }

    /** Sends a request from this machine; GET if the body is empty. The answer's status and, from the second line on, its body. */
    Tool.Result ask(String url, String body) {
        try {
            String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
            return Tool.run(body, inside(java, "-XX:TieredStopAtLevel=1", "-cp", classes(), Ask.class.getName(), url));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static String classes() {
        return Path.of(java.net.URI.create(Ask.class.getProtectionDomain().getCodeSource().getLocation().toString())).toString();
    }

    private void network(String... words) throws IOException {
        var command = new ArrayList<>(List.of("ip", "-n", namespace));
        command.addAll(List.of(words));
        Tool.must("", command);
    }

    private List<String> inside(String... words) {
        var command = new ArrayList<>(List.of("ip", "netns", "exec", namespace));
        command.addAll(List.of(words));
        return command;
    }

    private static String succeed(String input, List<String> words) {
        try {
            return Tool.must(input, words);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
