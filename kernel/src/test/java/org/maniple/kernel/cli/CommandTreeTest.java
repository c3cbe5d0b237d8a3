package org.maniple.kernel.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.maniple.kernel.plugin.PluginSources.module;
import static org.maniple.kernel.plugin.PluginSources.provider;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.maniple.api.ManipleException;
import org.maniple.kernel.config.Installation;
import org.maniple.kernel.config.TestInstallation;
import org.maniple.kernel.config.UnitWish;
import org.maniple.kernel.plugin.PluginFolder;

class CommandTreeTest {

    @TempDir
    Path root;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private final List<String> started = new ArrayList<>();
    private TestInstallation installation;

    @BeforeEach
    void installation() {
        installation = new TestInstallation(root);
    }

    /** Writes down what it is asked for, and answers with an exit code of its own. */
    private final class Recorder implements UnitStarter {
        @Override
        public int launch(LaunchPlan plan) {
            started.add("launch " + plan.rankArguments() + " " + plan.configuration().mesh().ranks());
            return 7;
        }

        @Override
        public int rank(LaunchPlan plan) {
            started.add("rank " + plan.configuration().topology().rank().orElseThrow());
            int wish = plan.configuration().settings().integer("max-tokens");
            if (wish == 13) {
                throw new ManipleException("port [8000] is taken; stop what listens there, or give --port");
            }
            if (wish == 14) {
                throw new IllegalStateException("boom");
            }
            return 0;
        }

        @Override
        public int plan(UnitWish wish) {
            started.add("plan for " + wish.ranksPerNode() + " with tp " + wish.settings().integer("tensor-parallel-size"));
            return 0;
        }

        @Override
        public int dryRun(LaunchPlan plan, boolean program) {
            started.add("dry run " + plan.rankArguments() + (program ? " with program" : ""));
            return 0;
        }
    }

    private int run(String... arguments) {
        return run(false, arguments);
    }

    private int run(boolean colours, String... arguments) {
        var surroundings = new Surroundings(() -> Installation.in(installation.home()), installation::host,
                installation.builtIn(),
                home -> installation.reader(), new Recorder(), new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8), colours);
        return new CommandTree(surroundings).run(arguments);
    }

    private List<String> output() {
        return out.toString(StandardCharsets.UTF_8).lines().map(line -> line.replace(installation.home().toString(), "HOME"))
                .toList();
    }

    private String errors() {
        return err.toString(StandardCharsets.UTF_8).replace(installation.home().toString(), "HOME");
    }

    private PluginFolder plugin(String id) throws IOException {
        String module = "test." + id;
        return new PluginFolder(installation.home(), id).jar(id + ".jar", module(module), provider(module, id + "-tokenizer"));
    }

    @Test
    void launchReadsAFileAndFlagsAndHandsTheRanksTheSame() {
        String file = installation.file("unit.yaml", "model: models/demo", "tp: 2").toString();
        assertThat(run("launch", file, "--pp", "2")).isEqualTo(7);
        assertThat(started).containsExactly("launch [" + file + ", --pp, 2] 4");
    }

    @Test
    void theFileMayComeLastOrBehindConfig() {
        String file = installation.file("unit.yaml", "model: models/demo").toString();
        run("launch", "--tp", "2", file);
        run("launch", "--tp", "2", "--config", file);
        run("serve", "--config=" + file, "--tp", "2");
        assertThat(started).hasSize(3).allMatch(line -> line.equals("launch [" + file + ", --tp, 2] 2"));
    }

    @Test
    void serveTakesTheModelInFront() {
        assertThat(run("serve", "models/demo", "-tp", "2")).isEqualTo(7);
        assertThat(started).containsExactly("launch [--model, models/demo, -tp, 2] 2");
    }

    @Test
    void generateNeedsAPromptAndEndsAfterIt() {
        assertThat(run("generate", "models/demo")).isEqualTo(2);
        assertThat(errors()).isEqualTo("maniple: --prompt: nothing to answer; give --prompt TEXT, or use maniple serve\n");
        run("generate", "models/demo", "--prompt", "What is Maniple?");
        assertThat(started).containsExactly("launch [--model, models/demo, --prompt, What is Maniple?, --exit-after-prompt] 1");
    }

    @Test
    void benchModelStartsAUnitThatMeasuresWithoutATokenizer() {
        assertThat(
                run("bench", "model", "models/demo", "-p", "64,512", "-n", "32", "-b", "1,8", "-r", "2", "-t", "1", "-tp", "2"))
                .isEqualTo(7);
        assertThat(started).containsExactly("launch [--model, models/demo, --threads, 1, -tp, 2, --bench,"
                + " pp64,pp512,tg32,tg32x8,repetitions=2, --skip-tokenizer-init] 2");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "bench model models/demo -p x | --n-prompt: [x] is not a whole number from 0 to 9999999; several are separated by commas",
        "bench model models/demo -p 0 -n 0 | -p 0 -n 0 leaves nothing to be measured; leave one of them out",
        "bench model models/demo -o xml | --output: [xml] is neither table nor json",
        "bench kernels --types Q9_0 | --types: [Q9_0] is no type of weights; there are",
        "bench kernels --types Q4_K --shapes 64x100 | --shapes: rows of 100 elements are not whole blocks of Q4_K (256 elements each)",
        "bench serve --concurrency 0 | --concurrency: [0] is not a number above 0; several are separated by commas",
        "bench serve --url nowhere | --url: [nowhere] is no address of a server; give one like http://127.0.0.1:8000"})
    void whatCannotBeMeasuredIsWrongUsage(String line, String mistake) {
        assertThat(run(line.split(" "))).isEqualTo(2);
        assertThat(errors()).startsWith("maniple: " + mistake);
        assertThat(started).isEmpty();
    }

    @Test
    void benchServeFailsWhereNoServerIs() {
        assertThat(run("bench", "serve", "--url", "http://127.0.0.1:1")).isEqualTo(1);
        assertThat(errors()).startsWith("maniple: no server answers at http://127.0.0.1:1");
    }

    @Test
    void benchServeMeasuresServersInTurn() throws IOException {
        var asked = new CopyOnWriteArrayList<Integer>();
        HttpServer one = answering(asked);
        HttpServer other = answering(asked);
        try {
            String urls = "http://127.0.0.1:" + one.getAddress().getPort() + ",http://127.0.0.1:" + other.getAddress().getPort();
            assertThat(run("bench", "serve", "--url", urls, "--concurrency", "1,1", "--requests", "1", "--warm-up", "0"))
                    .as(errors()).isZero();
        } finally {
            one.stop(0);
            other.stop(0);
        }
        int first = one.getAddress().getPort();
        int second = other.getAddress().getPort();
        assertThat(asked).containsExactly(first, second, first, second);
        assertThat(out.toString(StandardCharsets.UTF_8)).contains("| 1 client at http://127.0.0.1:" + first + " ",
                "| 1 client at http://127.0.0.1:" + second + " ");
    }

    private static HttpServer answering(List<Integer> asked) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/v1/models", exchange -> send(exchange, "{\"data\":[{\"id\":\"demo\"}]}"));
        server.createContext("/v1/completions", exchange -> {
            asked.add(server.getAddress().getPort());
            send(exchange, "data: {\"choices\":[{\"index\":0,\"text\":\"a\",\"finish_reason\":null}]}\n\ndata: [DONE]\n\n");
        });
        server.start();
        return server;
    }

    private static void send(HttpExchange exchange, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(200, bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }

    @Test
    void aDryRunStartsNothing() {
        assertThat(run("launch", "--dry-run", "--model", "models/demo")).isZero();
        assertThat(run("launch", "--model", "models/demo", "--dry-run", "--program")).isZero();
        assertThat(started).containsExactly("dry run [--model, models/demo]", "dry run [--model, models/demo] with program");
    }

    @Test
    void theProgramIsOnlyPrintedByADryRun() {
        assertThat(run("launch", "--model", "models/demo", "--program")).isEqualTo(2);
        assertThat(errors())
                .isEqualTo("maniple: --program: it prints the program instead of running it; give --dry-run --program\n");
    }

    @Test
    void planTakesTheModelInFrontAndTheRanksThatThereAre() {
        assertThat(run("plan", "models/demo", "--nodes", "2", "--devices-per-node", "8", "--memory", "80GiB", "--tp", "4"))
                .isZero();
        assertThat(started).containsExactly("plan for [8, 8] with tp 4");
    }

    @Test
    void planNeedsToKnowTheRanks() {
        assertThat(run("plan", "models/demo")).isEqualTo(2);
        assertThat(errors()).isEqualTo("maniple: ranks-per-node: nothing says how many ranks there are to spread the model over;"
                + " give the number of ranks (devices) of each node, for example --ranks-per-node 8\n");
    }

    @Test
    void rankIsOneRank() {
        assertThat(run("rank", "--model", "models/demo", "--tp", "2", "--local-rank", "1")).isZero();
        assertThat(started).containsExactly("rank 1");
    }

    @Test
    void allMistakesAreReportedAtOnceWithExitCode2() {
        assertThat(run("serve", "models/demo", "--port", "x", "--tensor-paralel-size", "2")).isEqualTo(2);
        assertThat(errors()).isEqualTo("maniple: 2 mistakes in the configuration:\n  --port: [x] is not a whole number\n"
                + "  --tensor-paralel-size: unknown flag [tensor-paralel-size]; did you mean [tensor-parallel-size]?\n");
        assertThat(started).isEmpty();
    }

    @Test
    void aFailureAtRunTimeHasExitCode1AndNoStackTrace() {
        assertThat(run("rank", "--model", "models/demo", "--max-tokens", "13")).isEqualTo(1);
        assertThat(errors()).isEqualTo("maniple: port [8000] is taken; stop what listens there, or give --port\n");
    }

    @Test
    void aMistakeOfOursHasExitCode1AndAStackTrace() {
        assertThat(run("rank", "--model", "models/demo", "--max-tokens", "14")).isEqualTo(1);
        assertThat(errors()).startsWith("maniple: this is a mistake in Maniple or a plugin; please report it with what follows\n"
                + "java.lang.IllegalStateException: boom").contains("\tat ");
    }

    @Test
    void anUnknownCommandHasExitCode2AndIsAnsweredWithTheNearest() {
        assertThat(run("lanch")).isEqualTo(2);
        assertThat(errors()).contains("'lanch'").contains("Did you mean").contains("launch");
    }

    @Test
    void noCommandAtAllHasExitCode2() {
        assertThat(run()).isEqualTo(2);
        assertThat(errors()).contains("Missing required subcommand").contains("Usage: maniple");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "launch", "serve", "generate", "plan", "rank", "plugins", "plugins list", "plugins info",
        "plugins verify",
        "plugins enable", "plugins disable", "bench", "bench model", "bench serve", "bench kernels", "version"})
    void everyCommandHasHelpWithExamples(String command) {
        assertThat(run((command + " --help").strip().split(" "))).isZero();
        assertThat(output()).anyMatch(line -> line.startsWith("Usage: maniple" + (command.isEmpty() ? "" : " " + command)))
                .contains("Examples:").anyMatch(line -> line.startsWith("  maniple " + command));
        assertThat(out.toString(StandardCharsets.UTF_8)).doesNotContain("\u001b");
    }

    @Test
    void theHelpOfLaunchListsTheKernelsKeys() {
        run("launch", "--help");
        assertThat(output()).contains("  --max-num-seqs integer", "      Most sequences in one step. Default: 64.",
                "  --numerics fast|exact");
    }

    @Test
    void versionNeedsNoInstallation() {
        assertThat(run("version")).isZero();
        assertThat(output()).singleElement().asString().matches("maniple \\S+ \\(kernel-api 1\\.0, Java 25.*\\)");
    }

    @Test
    void pluginsListShowsLoadedDisabledAndBrokenOnes() throws IOException {
        plugin("alpha");
        plugin("beta");
        new PluginFolder(installation.home(), "crooked").with("colour", "red");
        assertThat(run("plugins", "disable", "beta")).isZero();
        out.reset();
        assertThat(run("plugins", "list")).isZero();
        assertThat(output().stream().map(line -> line.replaceAll(" {2,}", " "))).containsExactly(
                "ID VERSION API STATE EXTENSIONS",
                "kernel 1.0 1.0 loaded transport local",
                " transport tcp (score 1)",
                " transport rdma (cannot work here: libibverbs.so.1 not found)",
                " collectives tree",
                " compute cpu",
                " frontend openai",
                " parallelism tensor",
                " parallelism pipeline",
                "alpha 0.3.0 [1.0,2) loaded tokenizer alpha-tokenizer",
                "beta 0.3.0 [1.0,2) disabled",
                "crooked broken see below",
                "plugin [crooked] in HOME/plugins/crooked: plugin.properties: unknown key [colour]; known: [id, version, api, java, module,"
                        + " requires, native-access, description]; correct the descriptor, or install the plugin again");
    }

    @Test
    void pluginsListIsColouredOnATerminalOnly() throws IOException {
        plugin("alpha");
        run(true, "plugins", "list");
        assertThat(out.toString(StandardCharsets.UTF_8)).contains("\u001b[32mloaded");
    }

    @Test
    void verifyFailsWithTheReasonsOfBrokenPlugins() throws IOException {
        plugin("alpha");
        assertThat(run("plugins", "verify")).isZero();
        assertThat(output()).containsExactly("1 plugin is in order");
        new PluginFolder(installation.home(), "crooked").with("api", "2");
        assertThat(run("plugins", "verify")).isEqualTo(2);
        assertThat(errors())
                .isEqualTo("maniple: plugin [crooked] in HOME/plugins/crooked: 0.3.0 was built for kernel-api 2 but this kernel"
                        + " provides 1.0; install a crooked built for 1.x\n");
    }

    @Test
    void infoShowsExtensionsAndKeys() throws IOException {
        plugin("alpha");
        assertThat(run("plugins", "info", "alpha")).isZero();
        assertThat(output()).contains("id             alpha", "state          loaded", "folder         HOME/plugins/alpha",
                "modules        test.alpha", "extension      tokenizer alpha-tokenizer");
        out.reset();
        assertThat(run("plugins", "info", "kernel")).isZero();
        assertThat(output()).contains("  --tensor-parallel-size, --tp, -tp integer", "      Ranks along tp. Default: 1.");
    }

    @Test
    void infoOfABrokenPluginSaysWhy() throws IOException {
        new PluginFolder(installation.home(), "crooked").with("api", "2");
        assertThat(run("plugins", "info", "crooked")).isEqualTo(2);
        assertThat(errors()).contains("was built for kernel-api 2");
    }

    @Test
    void anUnknownPluginIsAnsweredWithTheNearest() throws IOException {
        plugin("alpha");
        assertThat(run("plugins", "disable", "alpah")).isEqualTo(2);
        assertThat(errors()).isEqualTo("maniple: plugin [alpah] is not installed; installed: [alpha]; did you mean [alpha]?\n");
    }

    @Test
    void disablingIsRememberedUntilItIsEnabledAgain() throws IOException {
        plugin("alpha");
        run("plugins", "disable", "alpha");
        run("plugins", "disable", "alpha");
        assertThat(Files.readString(installation.home().resolve("conf/plugins.disabled"))).isEqualTo("alpha\n");
        run("plugins", "enable", "alpha");
        run("plugins", "enable", "alpha");
        assertThat(output()).containsExactly("plugin alpha is disabled now", "plugin alpha was disabled already",
                "plugin alpha is enabled now",
                "plugin alpha was enabled already");
    }

    @Test
    void doctorSaysWhatKeepsAnExtensionFromWorking() {
        assertThat(run("doctor", "rdma")).isZero();
        assertThat(run("doctor", "tcp")).isZero();
        assertThat(output()).containsExactly("transport rdma: cannot work on this host: libibverbs.so.1 not found",
                "transport tcp: nothing keeps it from working on this host");
    }

    @Test
    void doctorOfSomethingUnknownNamesTheNearest() {
        assertThat(run("doctor", "rmda")).isEqualTo(2);
        assertThat(errors()).startsWith("maniple: extension [rmda] is not installed; installed: [")
                .endsWith("did you mean [rdma]?\n");
    }
}
