package org.maniple.kernel.unit;

import java.io.PrintStream;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.maniple.api.engine.UnitStatus.LinkStatus;
import org.maniple.api.engine.UnitStatus.RankStatus;

/** What rank 0 prints while a unit starts. Safe for use by several threads. */
public final class StartupReport {

    private static final int BAR_WIDTH = 30;
    private static final int PERCENT_STEP = 10;
    private static final int MEMORY_LINES = 8;
    private static final String BOLD = "\u001b[1m";
    private static final String GREEN = "\u001b[32m";
    private static final String DIM = "\u001b[2m";
    private static final String PLAIN = "\u001b[0m";
    private static final String START_OF_LINE = "\r\u001b[K";

    private final PrintStream out;
    private final boolean terminal;
    private int shownPercent = -1;
    private boolean barOpen;

    /**
     * A report that has said nothing yet.
     *
     * @param out where it goes
     * @param terminal whether that is a terminal, which shows colours and a bar that is drawn again and again
     */
    public StartupReport(PrintStream out, boolean terminal) {
        this.out = out;
        this.terminal = terminal;
    }

    /**
     * A plugin of this unit.
     *
     * @param id its identifier
     * @param version its version
     * @param provides what it brings, in words
     */
    public record PluginLine(String id, String version, String provides) {}

    /**
     * A rank's place.
     *
     * @param rank its number
     * @param node where it runs
     * @param coordinates where it stands on the mesh, by dimension, outermost first
     */
    public record GridLine(int rank, String node, Map<String, Integer> coordinates) {}

    /**
     * Prints a line for each plugin.
     *
     * @param plugins in the order to be printed
     */
    public synchronized void plugins(Collection<PluginLine> plugins) {
        int width = plugins.stream().mapToInt(plugin -> plugin.id().length() + plugin.version().length() + 1).max().orElse(0);
        for (PluginLine plugin : plugins) {
            String name = plugin.id() + " " + plugin.version();
            line("plugin " + name + " ".repeat(width - name.length()) + "  " + dim(plugin.provides()));
        }
    }

    /**
     * Prints where each rank runs and stands.
     *
     * @param ranks all ranks, in order
     */
    public synchronized void grid(List<GridLine> ranks) {
        int nodeWidth = ranks.stream().mapToInt(rank -> rank.node().length()).max().orElse(0);
        int numberWidth = String.valueOf(ranks.size() - 1).length();
        for (GridLine rank : ranks) {
            String number = String.valueOf(rank.rank());
            String coordinates = rank.coordinates().entrySet().stream()
                    .map(entry -> entry.getKey() + "=" + entry.getValue())
                    .collect(Collectors.joining(" "));
            line(("rank " + " ".repeat(numberWidth - number.length()) + number + " on " + rank.node()
                    + " ".repeat(nodeWidth - rank.node().length()) + "  " + coordinates).stripTrailing());
        }
    }

    /**
     * Prints over what ranks reach each other.
     *
     * @param links by sending rank
     */
    public synchronized void links(Collection<LinkStatus> links) {
        for (LinkStatus link : links) {
            line("rank " + link.from() + " → " + link.to() + " via " + link.path());
        }
    }

    /**
     * Shows what ranks have in memory, the first few of them.
     *
     * @param ranks in order
     */
    public synchronized void memory(List<RankStatus> ranks) {
        for (RankStatus rank : ranks.subList(0, Math.min(MEMORY_LINES, ranks.size()))) {
            if (rank.residentBytes() > 0) {
                line("rank " + rank.rank() + " has " + ByteText.of(rank.residentBytes()) + " in memory (weights "
                        + ByteText.of(rank.weightBytes()) + ", KV cache up to " + ByteText.of(rank.kvBytes()) + ")");
            }
        }
        if (ranks.size() > MEMORY_LINES) {
            line("/v1/cluster tells what the other " + (ranks.size() - MEMORY_LINES) + " have");
        }
    }

    /**
     * Shows how much of the weights has been loaded: as a bar that grows, or as a line for every tenth. Numbers lower than before are
     * ignored.
     *
     * @param doneBytes loaded by all ranks together
     * @param totalBytes to be loaded
     */
    public synchronized void loading(long doneBytes, long totalBytes) {
        int percent = totalBytes <= 0 ? 100 : (int) Math.clamp(100.0 * doneBytes / totalBytes, 0, 100);
        boolean first = shownPercent < 0;
        boolean last = percent == 100;
        if (percent <= shownPercent || !terminal && !first && !last && percent / PERCENT_STEP == shownPercent / PERCENT_STEP) {
            return;
        }
        shownPercent = percent;
        String text = String.format(Locale.ROOT, "%3d %% of %s", percent, ByteText.of(totalBytes));
        if (!terminal) {
            out.println("loading weights: " + text.strip());
        } else {
            int filled = BAR_WIDTH * percent / 100;
            out.print(START_OF_LINE + "loading weights [" + GREEN + "#".repeat(filled) + PLAIN + " ".repeat(BAR_WIDTH - filled)
                    + "] " + text
                    + (last ? System.lineSeparator() : ""));
            barOpen = !last;
        }
        out.flush();
    }

    /**
     * Says that requests are taken.
     *
     * @param model the name under which the model is served
     * @param url where
     */
    public synchronized void ready(String model, String url) {
        line((terminal ? BOLD + GREEN : "") + "ready: " + model + " at " + url + (terminal ? PLAIN : ""));
    }

    /**
     * Prints any other line, without tearing the bar.
     *
     * @param text the line
     */
    public synchronized void line(String text) {
        if (barOpen) {
            out.println();
            barOpen = false;
        }
        out.println(text);
        out.flush();
    }

    /**
     * Prints a part of a text that comes bit by bit.
     *
     * @param part as it comes, line breaks included
     */
    public synchronized void text(String part) {
        out.print(part);
        out.flush();
    }

    private String dim(String text) {
        return terminal && !text.isEmpty() ? DIM + text + PLAIN : text;
    }
}
