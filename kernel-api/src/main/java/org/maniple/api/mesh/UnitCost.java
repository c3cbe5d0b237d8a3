package org.maniple.api.mesh;

/** How much work or memory a unit of an axis takes, relative to others; for axes whose units differ, as layers do. */
@FunctionalInterface
public interface UnitCost {

    /** All units alike. */
    UnitCost EQUAL = unit -> 1;

    /**
     * The cost of a unit.
     *
     * @param unit its number
     * @return a positive number; only ratios count
     */
    double of(int unit);
}
