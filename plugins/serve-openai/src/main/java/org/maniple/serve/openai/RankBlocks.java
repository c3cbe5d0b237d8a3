package org.maniple.serve.openai;

import org.maniple.api.engine.UnitStatus;
import org.maniple.api.engine.UnitStatus.HomeStatus;
import org.maniple.api.engine.UnitStatus.RankStatus;

/**
 * KV blocks of a rank. Ranks keep no books of their own: the engine gives blocks to requests for all ranks of a group at once, and each step says
 * which blocks it uses. So what is held on a rank is what is held in its group.
 *
 * @param all how many it has; 0 if nobody knows
 * @param referenced those that requests hold
 */
record RankBlocks(int all, int referenced) {

    static RankBlocks of(UnitStatus status, RankStatus rank) {
        for (HomeStatus home : status.homes()) {
            if (home.home() == StageWindow.group(rank)) {
                return new RankBlocks(home.kvBlocks(), home.kvBlocks() - home.freeKvBlocks());
            }
        }
        return new RankBlocks(0, 0);
    }
}
