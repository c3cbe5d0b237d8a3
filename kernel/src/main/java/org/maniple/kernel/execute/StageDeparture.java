package org.maniple.kernel.execute;

import java.util.List;
import org.maniple.api.step.Step;

/** What goes to the next stage. It has gone, as far as this step is concerned, once it is begun. */
final class StageDeparture implements Exchanging {

    private final List<StageLink> links;

    StageDeparture(List<StageLink> links) {
        this.links = List.copyOf(links);
    }

    @Override
    public void begin(Step step) {
        for (int i = 0; i < links.size(); i++) {
            links.get(i).send();
        }
    }

    @Override
    public void end(Step step) {}
}
