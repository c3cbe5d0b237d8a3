package org.maniple.kernel.cli;

import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.maniple.kernel.bench.BenchReport;
import org.maniple.kernel.bench.LoadPlan;
import org.maniple.kernel.bench.LoadResult;
import org.maniple.kernel.bench.Machine;
import org.maniple.kernel.bench.Samples;
import org.maniple.kernel.bench.ServeBench;
import org.maniple.kernel.config.ConfigurationException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The commands that measure without a unit of their own. */
abstract sealed class BenchCommand implements Callable<Integer> {

    final Surroundings surroundings;

    @Option(names = {"-o",
        "--output"}, paramLabel = "table|json", defaultValue = "table", description = "How results are printed. Default: table.")
    String output = "table";

    BenchCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    /** The group itself. */
    @Command(name = "bench", description = "Measures a model on a unit, a server over HTTP, or the kernels of the back end.", synopsisSubcommandLabel = "COMMAND", footer = {
        "%nExamples:", "  maniple bench model models/demo-moe -p 512 -n 128 -b 1,4,8,16",
        "  maniple bench serve --url http://127.0.0.1:8000 --concurrency 1,8,32",
        "  maniple bench kernels --types Q4_0,Q8_0,BF16 --threads 2"})
    static final class Group {}

    boolean json() {
        if (!List.of("table", "json").contains(output)) {
            throw mistake("--output: [" + output + "] is neither table nor json");
        }
        return output.equals("json");
    }

    BenchReport report() {
        return new BenchReport(surroundings.out(), surroundings.colours());
    }

    static ConfigurationException mistake(String line) {
        return new ConfigurationException(List.of(line));
    }

    static List<Double> positive(String flag, String text) {
        var numbers = new ArrayList<Double>();
        for (String part : text.split(",", -1)) {
            if (!part.matches("\\d{1,6}(\\.\\d{1,6})?") || Double.parseDouble(part) == 0) {
                throw mistake(flag + ": [" + part + "] is not a number above 0; several are separated by commas");
            }
            numbers.add(Double.parseDouble(part));
        }
        return numbers;
    }

    @Command(name = "serve", description = "Sends streamed completions to a server with OpenAI's API and times them: closed loop (--concurrency) or open loop (--rate).", footer = {
        "%nPrompts are random token ids, answers have all the same length; whatever fails is counted. Exit code 1 if all requests of a line fail.",
        "%nExamples:",
        "  maniple bench serve --concurrency 1,8,32",
        "  maniple bench serve --url http://127.0.0.1:8080 --concurrency 8 --requests 64 --input-tokens 64 --output-tokens 64",
        "  maniple bench serve --rate 0.5,1,2 --requests 30 -o json"})
    static final class Serve extends BenchCommand {

        private static final int MOST_CLIENTS = 4096;

        @Option(names = "--url", paramLabel = "URL,…", defaultValue = "http://127.0.0.1:8000", description = "The server; several are measured in turn, each line on all of them. Default: ${DEFAULT-VALUE}.")
        String url = "";

        @Option(names = "--model", paramLabel = "NAME", description = "The model to ask for; by default the server's first.")
        @Nullable
        String model;

        @Option(names = "--api-key", paramLabel = "KEY", description = "Sent as a bearer token.")
        @Nullable
        String key;

        @Option(names = "--concurrency", paramLabel = "N,…", description = "Clients that send their next request when the last one is answered; a line for each number. Default: 1, unless --rate is given.")
        @Nullable
        String concurrency;

        @Option(names = "--rate", paramLabel = "R,…", description = "Requests per second that come at random, answered or not; a line for each number.")
        @Nullable
        String rate;

        @Option(names = "--requests", paramLabel = "N", description = "Requests of a line. Default: see --requests-per-client.")
        @Nullable
        Integer requests;

        @Option(names = "--requests-per-client", paramLabel = "N", defaultValue = "4", description = "Requests of each client with --concurrency, unless --requests is given; of all together at least 8. Default: ${DEFAULT-VALUE}.")
        int turns;

        @Option(names = "--warm-up", paramLabel = "N", defaultValue = "2", description = "Requests before each line that do not count. Default: ${DEFAULT-VALUE}.")
        int warmUp;

        @Option(names = "--input-tokens", paramLabel = "N", defaultValue = "64", description = "Tokens of a prompt. Default: ${DEFAULT-VALUE}.")
        int input;

        @Option(names = "--output-tokens", paramLabel = "N", defaultValue = "64", description = "Tokens of an answer. Default: ${DEFAULT-VALUE}.")
        int answer;

        @Option(names = "--token-ids", paramLabel = "FROM-TO", defaultValue = "300-1299", description = "Ids that prompts are drawn from. Default: ${DEFAULT-VALUE}.")
        String ids = "";

        @Option(names = "--temperature", paramLabel = "T", defaultValue = "0", description = "Of sampling. Default: ${DEFAULT-VALUE}.")
        double temperature;

        @Option(names = "--timeout", paramLabel = "SECONDS", defaultValue = "600", description = "After which a request has failed. Default: ${DEFAULT-VALUE}.")
        int timeout;

        Serve(Surroundings surroundings) {
            super(surroundings);
        }

        @Override
        public Integer call() throws InterruptedException {
            boolean json = json();
            List<LoadPlan.Pace> paces = paces();
            BenchReport report = report();
            Machine machine = Machine.now();
            var lines = new ArrayList<Line>();
            for (LoadPlan.Pace pace : paces) {
                for (String server : url.split(",", -1)) {
                    try (var bench = new ServeBench(plan(server, pace), report::progress)) {
                        String asked = bench.model();
                        lines.add(new Line(server, asked, bench.run(pace, asked)));
                    }
                }
            }
            if (json) {
                report.json(lines.stream().map(line -> entry(line, machine)).toList());
            } else {
                table(report, machine, lines);
            }
            return lines.stream().anyMatch(line -> line.result().failed() == line.result().requests()) ? 1 : 0;
        }

        /** What one server did at one pace. */
        private record Line(String url, String model, LoadResult result) {}

        private void table(BenchReport report, Machine machine, List<Line> lines) {
            String asked = String.join("; ",
                    lines.stream().map(line -> line.model() + " at " + line.url()).distinct().toList());
            report.line("model: " + asked + ", " + input + " tokens in, " + answer + " out");
            report.line("machine: " + machine.line());
            boolean several = lines.stream().map(Line::url).distinct().count() > 1;
            report.table(
                    List.of("load", "requests", "failed", "tokens/s", "requests/s", "TTFT p50 ms", "p95", "p99",
                            "inter-token p50 ms", "p99"),
                    lines.stream().map(line -> row(several ? " at " + line.url() : "", line.result())).toList());
            lines.stream().flatMap(line -> line.result().failures().entrySet().stream())
                    .forEach(failure -> report.line("failed " + failure.getValue() + " times: " + failure.getKey()));
        }

        private List<LoadPlan.Pace> paces() {
            var paces = new ArrayList<LoadPlan.Pace>();
            if (rate != null) {
                positive("--rate", rate).forEach(value -> paces.add(new LoadPlan.Pace.Rate(value)));
            }
            if (concurrency != null || rate == null) {
                for (double clients : positive("--concurrency", concurrency == null ? "1" : concurrency)) {
                    if (clients != Math.rint(clients) || clients > MOST_CLIENTS) {
                        throw mistake("--concurrency: [" + clients + "] is not a whole number up to " + MOST_CLIENTS);
                    }
                    paces.add(new LoadPlan.Pace.Clients((int) clients));
                }
            }
            return paces;
        }

        private LoadPlan plan(String server, LoadPlan.Pace pace) {
            if (!server.matches("https?://[^\\s?#]+")) {
                throw mistake("--url: [" + server + "] is no address of a server; give one like http://127.0.0.1:8000");
            }
            if (!ids.matches("\\d{1,7}-\\d{1,7}")) {
                throw mistake("--token-ids: [" + ids + "] is no range; give one like 300-1299");
            }
            int first = Integer.parseInt(ids.substring(0, ids.indexOf('-')));
            int last = Integer.parseInt(ids.substring(ids.indexOf('-') + 1));
            int count = requests != null
                    ? requests
                    : pace instanceof LoadPlan.Pace.Clients closed ? Math.max(8, Math.multiplyExact(turns, closed.clients())) : 8;
            if (last < first || input < 1 || answer < 1 || count < 1 || turns < 1 || turns > MOST_CLIENTS || warmUp < 0
                    || timeout < 1 || temperature < 0) {
                throw mistake("numbers of requests, tokens and seconds must be above 0, and ranges ascend");
            }
            return new LoadPlan(URI.create(server), Optional.ofNullable(model), Optional.ofNullable(key), pace, count, warmUp,
                    input,
                    answer, first, last, temperature, Duration.ofSeconds(timeout));
        }

        private static String name(LoadPlan.Pace pace) {
            return switch (pace) {
                case LoadPlan.Pace.Clients closed -> closed.clients() + (closed.clients() == 1 ? " client" : " clients");
                case LoadPlan.Pace.Rate open -> open.perSecond() + " per second";
            };
        }

        private static List<String> row(String where, LoadResult result) {
            return List.of(name(result.pace()) + where, Integer.toString(result.requests()), Integer.toString(result.failed()),
                    decimals(result.tokensPerSecond()), decimals(result.requestsPerSecond()), quantile(result.firstToken(), 0.5),
                    quantile(result.firstToken(), 0.95), quantile(result.firstToken(), 0.99),
                    quantile(result.betweenTokens(), 0.5),
                    quantile(result.betweenTokens(), 0.99));
        }

        private static String quantile(Optional<Samples> samples, double part) {
            return samples.map(values -> decimals(values.quantile(part))).orElse("");
        }

        private static String decimals(double value) {
            return String.format(Locale.ROOT, "%.1f", value);
        }

        private Map<String, Object> entry(Line line, Machine machine) {
            LoadResult result = line.result();
            var entry = new LinkedHashMap<String, Object>();
            entry.put("url", line.url());
            entry.put("model", line.model());
            entry.put("cpu_info", machine.cpu());
            entry.put("load", machine.load());
            switch (result.pace()) {
                case LoadPlan.Pace.Clients closed -> entry.put("concurrency", closed.clients());
                case LoadPlan.Pace.Rate open -> entry.put("rate", open.perSecond());
            }
            entry.put("input_tokens", input);
            entry.put("output_tokens", answer);
            entry.put("requests", result.requests());
            entry.put("failed", result.failed());
            entry.put("failures", result.failures());
            entry.put("seconds", result.seconds());
            entry.put("tokens", result.tokens());
            entry.put("tokens_per_second", result.tokensPerSecond());
            entry.put("requests_per_second", result.requestsPerSecond());
            for (double part : new double[] {0.5, 0.95, 0.99}) {
                String percent = "p" + Math.round(100 * part);
                result.firstToken().ifPresent(values -> entry.put("ttft_ms_" + percent, values.quantile(part)));
                result.betweenTokens().ifPresent(values -> entry.put("inter_token_ms_" + percent, values.quantile(part)));
            }
            return entry;
        }
    }
}
