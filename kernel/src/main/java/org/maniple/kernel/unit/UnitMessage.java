package org.maniple.kernel.unit;

import java.util.List;
import org.maniple.api.engine.UnitStatus.StepTimes;

/** What ranks tell each other on control links. */
sealed interface UnitMessage permits Hello, UnitMessage.Welcome, UnitMessage.Refused, UnitMessage.Reached, UnitMessage.Opened,
        UnitMessage.Heartbeat, UnitMessage.Abort, UnitMessage.Goodbye, UnitMessage.Parcel {

    /** Rank 0 has all ranks, and they agree. */
    record Welcome(long epoch, List<Member> members) implements UnitMessage {
        public Welcome {
            members = List.copyOf(members);
        }
    }

    /**
     * Rank 0 does not take a rank.
     *
     * @param configuration whether ranks were started or configured differently
     */
    record Refused(boolean configuration, List<String> reasons) implements UnitMessage {
        public Refused {
            reasons = List.copyOf(reasons);
        }
    }

    /** A rank has reached a phase. */
    record Reached(Phase phase) implements UnitMessage {}

    /** All ranks have reached a phase. */
    record Opened(Phase phase) implements UnitMessage {}

    /** A rank lives, and this is how far it is. */
    record Heartbeat(long epoch, Phase phase, long step, long loadedBytes, List<LinkReport> links, Usage usage)
            implements UnitMessage {
        public Heartbeat {
            links = List.copyOf(links);
        }
    }

    /**
     * What a rank uses.
     *
     * @param dispatchedBytes bytes of tokens that its all-to-all back end has sent so far
     * @param combinedBytes bytes of results that its all-to-all back end has sent so far
     * @param kvBytes the size of its KV cache
     * @param residentBytes what its process has in memory
     * @param times where the time of its steps went
     */
    record Usage(long dispatchedBytes, long combinedBytes, long kvBytes, long residentBytes, StepTimes times) {
        /** Nothing, or nothing that anybody knows. */
        static final Usage NONE = new Usage(0, 0, 0, 0, StepTimes.NONE);
    }

    /** The unit has failed. */
    record Abort(UnitFailure failure) implements UnitMessage {}

    /** The unit ends in order. */
    record Goodbye(String reason) implements UnitMessage {}

    /** Something that is not about the life of the unit, between a rank and rank 0; this package does not look into it. */
    record Parcel(byte[] content) implements UnitMessage {}

    /** A data link as the sending rank sees it. */
    record LinkReport(int peer, String path, long sentBytes) {}
}
