package org.maniple.kernel.plugin;

import java.util.Collection;
import java.util.Comparator;
import java.util.Optional;

/** Finds the known name that a mistyped one most likely stands for. */
public final class NearestName {

    private NearestName() {}

    /**
     * The known name with the smallest edit distance, if it is near enough to be meant.
     *
     * @param typed what was typed
     * @param known the names that exist
     * @return the nearest one; of several the one with the longest common beginning
     */
    public static Optional<String> of(String typed, Collection<String> known) {
        int limit = Math.max(1, Math.min(4, typed.length() / 3));
        return known.stream()
                .filter(name -> Math.abs(name.length() - typed.length()) <= limit)
                .filter(name -> distance(typed, name) <= limit)
                .min(Comparator.<String>comparingInt(name -> distance(typed, name))
                        .thenComparingInt(name -> -commonStart(typed, name))
                        .thenComparing(Comparator.naturalOrder()));
    }

    /** People rarely mistype the beginning. */
    private static int commonStart(String a, String b) {
        int at = 0;
        while (at < Math.min(a.length(), b.length()) && a.charAt(at) == b.charAt(at)) {
            at++;
        }
        return at;
    }

    /**
     * The nearest name as the end of a message.
     *
     * @param typed what was typed
     * @param known the names that exist
     * @return {@code "; did you mean [name]?"}, or nothing
     */
    public static String hint(String typed, Collection<String> known) {
        return of(typed, known).map(name -> "; did you mean [" + name + "]?").orElse("");
    }

    /** Levenshtein distance in which two neighbours that have changed places count as one edit (optimal string alignment). */
    static int distance(String a, String b) {
        var rows = new int[a.length() + 1][b.length() + 1];
        for (int i = 0; i <= a.length(); i++) {
            for (int j = 0; j <= b.length(); j++) {
                rows[i][j] = i == 0 || j == 0 ? i + j : cell(rows, a, b, i, j);
            }
        }
        return rows[a.length()][b.length()];
    }

    private static int cell(int[][] rows, String a, String b, int i, int j) {
        boolean same = a.charAt(i - 1) == b.charAt(j - 1);
        int best = Math.min(Math.min(rows[i - 1][j], rows[i][j - 1]) + 1, rows[i - 1][j - 1] + (same ? 0 : 1));
        boolean swapped = i > 1 && j > 1 && a.charAt(i - 1) == b.charAt(j - 2) && a.charAt(i - 2) == b.charAt(j - 1);
        return swapped ? Math.min(best, rows[i - 2][j - 2] + 1) : best;
    }
}
