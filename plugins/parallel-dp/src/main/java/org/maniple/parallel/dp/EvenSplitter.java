package org.maniple.parallel.dp;

import java.util.ArrayList;
import java.util.List;
import org.maniple.api.mesh.Splitter;
import org.maniple.api.tensor.UnitList;

/**
 * Deals consecutive units evenly, the earlier parts the larger ones; in whole quanta unless that gives a part more than a tenth above its
 * due.
 */
final class EvenSplitter implements Splitter {

    private static final double TOLERATED = 1.10;

    @Override
    public List<UnitList> split(Request request) {
        int quantum = Math.max(1, request.quantum());
        int largest = Math.ceilDiv(Math.ceilDiv(request.units(), quantum), request.parts()) * quantum;
        boolean balanced = largest <= TOLERATED * request.units() / request.parts();
        return ranges(request.units(), request.parts(), balanced ? quantum : 1);
    }

    private static List<UnitList> ranges(int units, int parts, int quantum) {
        int quanta = Math.ceilDiv(units, quantum);
        var lists = new ArrayList<UnitList>();
        int from = 0;
        for (int part = 0; part < parts; part++) {
            int count = quanta / parts + (part < quanta % parts ? 1 : 0);
            int to = Math.min(units, from + count * quantum);
            lists.add(UnitList.range(from, to));
            from = to;
        }
        return lists;
    }
}
