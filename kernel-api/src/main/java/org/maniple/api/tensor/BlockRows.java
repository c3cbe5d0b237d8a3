package org.maniple.api.tensor;

import java.util.List;

/**
 * How the rows of a weight of a block type are held. A row is the weight's last dimensions, those that a contraction sums over. A rank holds whole
 * blocks; where its slice of a row begins or ends inside a block it holds that block with elements that are not its own, which count as if they were
 * not there: what is multiplied with them is zero.
 *
 * @param held elements of a row as they are held: whole blocks
 * @param runs which of them are the row's own, ascending; together all of the row's elements, in order
 */
public record BlockRows(int held, List<Run> runs) {

    /**
     * Elements that are the row's own.
     *
     * @param held the first one, counted in held elements
     * @param from the first one, counted in the row's own elements
     * @param count how many
     */
    public record Run(int held, int from, int count) {}

    /** Copies the list and checks it. */
    public BlockRows {
        runs = List.copyOf(runs);
        int own = 0;
        int end = 0;
        for (Run run : runs) {
            if (run.from() != own || run.held() < end || run.count() < 0) {
                throw new IllegalArgumentException("runs of a row that do not follow each other: " + runs);
            }
            own += run.count();
            end = run.held() + run.count();
        }
        if (end > held) {
            throw new IllegalArgumentException("rows of " + held + " elements cannot hold " + runs);
        }
    }

    /**
     * Rows that hold nothing but their own elements.
     *
     * @param columns elements of a row
     * @return the rows
     */
    public static BlockRows whole(int columns) {
        return new BlockRows(columns, List.of(new Run(0, 0, columns)));
    }

    /**
     * Elements that are a row's own.
     *
     * @return how many
     */
    public int columns() {
        return runs.isEmpty() ? 0 : runs.getLast().from() + runs.getLast().count();
    }

    /**
     * Whether rows hold nothing but their own elements.
     *
     * @return whether they do
     */
    public boolean whole() {
        return held == columns();
    }
}
