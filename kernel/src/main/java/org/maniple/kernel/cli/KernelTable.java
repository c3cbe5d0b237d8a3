package org.maniple.kernel.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.maniple.api.compute.ComputeSession;
import org.maniple.kernel.bench.BenchReport;
import org.maniple.kernel.bench.KernelBench;
import org.maniple.kernel.bench.KernelCase;
import org.maniple.kernel.bench.Machine;
import org.maniple.kernel.bench.ReadBandwidth;
import org.maniple.kernel.config.DeviceWish;
import org.maniple.kernel.config.UnitConfigurationReader;

/** Measures kernels and prints the table of {@code bench kernels}. */
final class KernelTable {

    private static final long PROBE_BYTES = 1 << 30;

    private final Surroundings surroundings;
    private final KernelArguments wanted;
    private final UnitConfigurationReader reader;
    private final BenchReport report;

    KernelTable(Surroundings surroundings, KernelArguments wanted, UnitConfigurationReader reader) {
        this.surroundings = surroundings;
        this.wanted = wanted;
        this.reader = reader;
        this.report = new BenchReport(surroundings.out(), surroundings.colours());
    }

    /** A result and the bandwidth beside it. */
    private record Row(KernelBench.Result result, double bandwidth) {}

    int print() {
        DeviceWish device = reader.readForDevice(Optional.empty(), wanted.unit());
        device.notices().forEach(surroundings.err()::println);
        Machine machine = Machine.now();
        var rows = new ArrayList<Row>();
        var missing = new ArrayList<String>();
        try (ComputeSession session = device.open(surroundings.err()::println);
                var memory = new ReadBandwidth(device.threads(), PROBE_BYTES)) {
            var bench = new KernelBench(session, wanted.memoryBytes(), (long) (1e9 * wanted.seconds()), report::progress);
            for (KernelCase product : wanted.cases()) {
                double bandwidth = memory.measure();
                List<KernelBench.Result> results = bench.run(product, wanted.rows());
                results.forEach(result -> rows.add(new Row(result, bandwidth)));
                if (results.isEmpty()) {
                    missing.add("no kernel of the back end multiplies with " + product.type()
                            + "; models would be computed one element at a time");
                }
            }
        }
        if (wanted.json()) {
            report.json(rows.stream().map(row -> entry(row, machine, device.threads())).toList());
        } else {
            report.line("machine: " + machine.line());
            report.line("threads: " + device.threads());
            report.table(List.of("type", "rows x columns", "held", "kernel", "M", "µs", "GB/s", "of DRAM", "Gop/s"),
                    rows.stream().map(KernelTable::cells).toList());
        }
        missing.forEach(surroundings.err()::println);
        return rows.isEmpty() ? 1 : 0;
    }

    private static List<String> cells(Row row) {
        KernelBench.Result result = row.result();
        return List.of(result.product().type().name(), result.product().rows() + " x " + result.product().columns(),
                result.layout(),
                result.kernel(), Integer.toString(result.rows()), number("%.1f", 1e6 * result.seconds()),
                number("%.2f", result.bytesPerSecond() / 1e9), number("%.2f", result.bytesPerSecond() / row.bandwidth()),
                number("%.1f", result.operationsPerSecond() / 1e9));
    }

    private static String number(String format, double value) {
        return String.format(Locale.ROOT, format, value);
    }

    private static Map<String, Object> entry(Row row, Machine machine, int threads) {
        KernelBench.Result result = row.result();
        var entry = new LinkedHashMap<String, Object>();
        entry.put("cpu_info", machine.cpu());
        entry.put("cpu_features", machine.features());
        entry.put("load", machine.load());
        entry.put("n_threads", threads);
        entry.put("type", result.product().type().name());
        entry.put("weight_rows", result.product().rows());
        entry.put("weight_columns", result.product().columns());
        entry.put("held", result.layout());
        entry.put("kernel", result.kernel());
        entry.put("rows", result.rows());
        entry.put("seconds", result.seconds());
        entry.put("bytes_per_second", result.bytesPerSecond());
        entry.put("read_bytes_per_second", row.bandwidth());
        entry.put("share_of_bandwidth", result.bytesPerSecond() / row.bandwidth());
        entry.put("operations_per_second", result.operationsPerSecond());
        return entry;
    }
}
