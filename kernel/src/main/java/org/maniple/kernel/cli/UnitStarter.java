package org.maniple.kernel.cli;

import org.maniple.kernel.config.UnitWish;

/** Starts units and ranks, so that the command line need not know how. The methods answer with the exit code of the process. */
public interface UnitStarter {

    /**
     * Starts all ranks of this node and waits for their end.
     *
     * @param plan what was asked for
     * @return the exit code
     * @throws InterruptedException if the thread is interrupted
     */
    int launch(LaunchPlan plan) throws InterruptedException;

    /**
     * Is one rank until its end.
     *
     * @param plan what was asked for; its topology has a rank
     * @return the exit code
     * @throws InterruptedException if the thread is interrupted
     */
    int rank(LaunchPlan plan) throws InterruptedException;

    /**
     * Prints the effective configuration and the rank grid, and starts nothing.
     *
     * @param plan what was asked for
     * @param program whether the program of each kind of layer is printed too
     * @return the exit code
     */
    int dryRun(LaunchPlan plan, boolean program);

    /**
     * Prints how a model can be spread over some ranks, and what is recommended.
     *
     * @param wish the model and the ranks
     * @return the exit code
     * @throws org.maniple.kernel.config.ConfigurationException if it cannot, with what would do
     */
    int plan(UnitWish wish);
}
