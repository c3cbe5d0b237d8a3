package org.maniple.api.engine;

import java.util.Comparator;
import org.maniple.api.Extension;
import org.maniple.api.config.Settings;

/**
 * In which order requests get seats and KV blocks, and tokens of a step for their prompts. The one that is last in the order is the first to
 * lose its blocks when there are too few, and is computed anew later. Chosen by {@code scheduling-policy}.
 */
public interface SchedulingPolicy extends Extension {

    /**
     * The order. Called once.
     *
     * @param settings the effective configuration, with this extension's options
     * @return compares requests, always in the same way: the lesser goes first. Those that it holds for equal go in the order in which they
     *     came, and share the tokens of a step so that short prompts need not wait for the end of long ones. Used by several threads
     */
    Comparator<ScheduledRequest> order(Settings settings);

    /**
     * Whether the order depends on what clients give as priority. If not, requests with one are refused.
     *
     * @return whether it does
     */
    boolean usesPriority();
}
