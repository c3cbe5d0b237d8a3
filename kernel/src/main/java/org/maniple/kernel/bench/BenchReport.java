package org.maniple.kernel.bench;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;

/** Prints results: a table for people, or one JSON document. Safe for use by several threads. */
public final class BenchReport {

    private static final String START_OF_LINE = "\r\u001b[K";

    private final PrintStream out;
    private final boolean terminal;
    private boolean progressShown;

    /**
     * A report that has printed nothing.
     *
     * @param out for results
     * @param terminal whether that is a terminal; progress is shown only there
     */
    public BenchReport(PrintStream out, boolean terminal) {
        this.out = out;
        this.terminal = terminal;
    }

    /**
     * Shows what is being done, in place of what was shown before.
     *
     * @param text a few words; nothing is left of them in the end
     */
    public synchronized void progress(String text) {
        if (terminal) {
            out.print(START_OF_LINE + text);
            out.flush();
            progressShown = true;
        }
    }

    /**
     * Prints a line.
     *
     * @param text the line
     */
    public synchronized void line(String text) {
        clear();
        out.println(text);
        out.flush();
    }

    private void clear() {
        if (progressShown) {
            out.print(START_OF_LINE);
            progressShown = false;
        }
    }

    /**
     * Prints a table in Markdown, numbers to the right.
     *
     * @param head titles of columns
     * @param rows cells
     */
    public synchronized void table(List<String> head, List<List<String>> rows) {
        var all = new ArrayList<List<String>>();
        all.add(head);
        all.addAll(rows);
        int[] widths = new int[head.size()];
        for (List<String> row : all) {
            for (int i = 0; i < widths.length; i++) {
                widths[i] = Math.max(widths[i], row.get(i).length());
            }
        }
        boolean[] numbers = new boolean[widths.length];
        for (int i = 0; i < widths.length; i++) {
            int column = i;
            numbers[i] = !rows.isEmpty() && rows.stream().allMatch(row -> row.get(column).matches("-?[0-9].*|"));
        }
        line(cells(head, widths, numbers));
        var rule = new StringBuilder("|");
        for (int i = 0; i < widths.length; i++) {
            rule.append(numbers[i] ? "-".repeat(widths[i] + 1) + ":|" : "-".repeat(widths[i] + 2) + "|");
        }
        line(rule.toString());
        rows.forEach(row -> line(cells(row, widths, numbers)));
    }

    private static String cells(List<String> row, int[] widths, boolean[] numbers) {
        var line = new StringBuilder("|");
        for (int i = 0; i < widths.length; i++) {
            String padding = " ".repeat(widths[i] - row.get(i).length());
            line.append(' ').append(numbers[i] ? padding + row.get(i) : row.get(i) + padding).append(" |");
        }
        return line.toString();
    }

    /**
     * Prints a JSON document.
     *
     * @param document maps, lists, texts, numbers and truth values
     */
    public synchronized void json(Object document) {
        line(JsonMapper.builder().build().writerWithDefaultPrettyPrinter().writeValueAsString(document));
    }

    /**
     * Prints the results of a model.
     *
     * @param given what holds for all of them: model, layout, threads; in the order to be shown
     * @param machine what they were measured on
     * @param results the figures
     * @param json whether as JSON
     */
    public void model(Map<String, String> given, Machine machine, List<ModelBench.Result> results, boolean json) {
        if (json) {
            json(results.stream().map(result -> entry(given, machine, result)).toList());
            return;
        }
        given.forEach((key, value) -> line(key + ": " + value));
        line("machine: " + machine.line());
        table(List.of("test", "tokens/s", "±", "best"), results.stream().map(result -> List.of(result.test().name(),
                decimals(result.tokensPerSecond().mean()), decimals(result.tokensPerSecond().deviation()),
                decimals(result.tokensPerSecond().best()))).toList());
    }

    /** Fields that llama-bench has too are called as there. */
    private static Map<String, Object> entry(Map<String, String> given, Machine machine, ModelBench.Result result) {
        var entry = new LinkedHashMap<String, Object>(given);
        entry.put("cpu_info", machine.cpu());
        entry.put("cpu_features", machine.features());
        entry.put("load", machine.load());
        ModelTest test = result.test();
        boolean prompt = test.kind() == ModelTest.Kind.PROMPT;
        entry.put("test", test.name());
        entry.put("n_prompt", prompt ? test.tokens() : 0);
        entry.put("n_gen", prompt ? 0 : test.tokens());
        entry.put("n_depth", test.depth());
        entry.put("n_streams", test.streams());
        entry.put("avg_ts", result.tokensPerSecond().mean());
        entry.put("stddev_ts", result.tokensPerSecond().deviation());
        entry.put("samples_ts", result.tokensPerSecond().values());
        return entry;
    }

    /**
     * A number as tables show it.
     *
     * @param value the number
     * @return with two decimals
     */
    static String decimals(double value) {
        return String.format(Locale.ROOT, "%.2f", value);
    }

    /**
     * Kinds of kernels in words.
     *
     * @param kernels operations by description
     * @return their descriptions
     */
    public static String kernels(Collection<String> kernels) {
        return String.join("; ", kernels.stream().sorted().toList());
    }
}
