package org.maniple.moe.ep;

import java.util.List;
import java.util.stream.IntStream;
import org.maniple.api.mesh.ExpertPlacement;
import org.maniple.api.mesh.Splitter;
import org.maniple.api.tensor.UnitList;

/**
 * The experts of each rank, without their slots; an expert may be on several ranks. Where layers differ it answers for the first one that the
 * configuration lists: which layer it is, only the placement is told.
 *
 * @param placing what the configuration asks for
 */
record ExpertSplitter(Placing placing) implements Splitter {

    @Override
    public List<UnitList> split(Request request) {
        ExpertPlacement placement = placing.place(placing.firstLayer(), request.units(), request.parts());
        return IntStream.range(0, request.parts())
                .mapToObj(part -> UnitList.of(
                        IntStream.range(0, placement.slots(part)).map(slot -> placement.expert(part, slot)).toArray()))
                .toList();
    }
}
