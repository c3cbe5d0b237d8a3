package org.maniple.kernel.config;

import java.util.List;
import org.maniple.api.config.Derived;

/** Decides how a model is spread where the configuration leaves that to Maniple. */
@FunctionalInterface
public interface LayoutChooser {

    /**
     * Decides.
     *
     * @param wish the model and the ranks
     * @return the values of the keys of parallelisms that differ from what is there; the same on every rank with the same wish
     * @throws ConfigurationException if the model cannot be spread over these ranks, with what would do
     */
    List<Derived> choose(UnitWish wish);
}
