package org.maniple.kernel.remote;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.maniple.api.engine.UnitStatus;
import org.maniple.api.engine.UnitStatus.HomeStatus;
import org.maniple.api.engine.UnitStatus.RankStatus;
import org.maniple.api.engine.UnitStatus.StepTimes;

/**
 * How a unit is, as bytes. The configuration is left out, since every rank has its own, and so are the links: they grow with the square of the
 * ranks, and rank 0 shows them.
 */
final class StatusCodec {

    private StatusCodec() {}

    static void write(FrameWriter out, UnitStatus status) {
        out.flag(status.ready()).list(status.reasons(), FrameWriter::text).large(status.epoch())
                .list(status.ranks(), StatusCodec::write)
                .number(status.runningRequests()).number(status.waitingRequests()).number(status.kvBlocks())
                .number(status.freeKvBlocks())
                .list(status.homes(), StatusCodec::write);
    }

    private static void write(FrameWriter out, RankStatus rank) {
        out.number(rank.rank()).text(rank.host()).large(rank.processId())
                .list(rank.coordinates().entrySet(), (w, at) -> w.text(at.getKey()).number(at.getValue()))
                .text(rank.state()).large(rank.weightBytes()).large(rank.dispatchedBytes()).large(rank.combinedBytes())
                .large(rank.kvBytes()).large(rank.residentBytes()).large(rank.times().steps()).large(rank.times().computeNanos())
                .large(rank.times().communicationNanos()).large(rank.times().waitingNanos())
                .large(rank.times().halvedSteps());
    }

    private static void write(FrameWriter out, HomeStatus home) {
        out.number(home.home()).number(home.runningRequests()).number(home.waitingRequests()).large(home.admittedRequests())
                .number(home.kvBlocks()).number(home.freeKvBlocks()).large(home.preemptions())
                .large(home.prefixCacheQueries()).large(home.prefixCacheHits());
    }

    static UnitStatus read(FrameReader in) {
        return new UnitStatus(in.flag(), in.list(Integer.BYTES, FrameReader::text), in.large(), in.list(32, StatusCodec::rank),
                List.of(), Map.of(), in.number(), in.number(), in.number(), in.number(), in.list(52, StatusCodec::home));
    }

    private static RankStatus rank(FrameReader in) {
        return new RankStatus(in.number(), in.text(), in.large(), coordinates(in), in.text(), in.large(), in.large(), in.large(),
                in.large(), in.large(), new StepTimes(in.large(), in.large(), in.large(), in.large(), in.large()));
    }

    private static Map<String, Integer> coordinates(FrameReader in) {
        var coordinates = new LinkedHashMap<String, Integer>();
        in.list(2 * Integer.BYTES, reader -> coordinates.put(reader.text(), reader.number()));
        return coordinates;
    }

    private static HomeStatus home(FrameReader in) {
        return new HomeStatus(in.number(), in.number(), in.number(), in.large(), in.number(), in.number(), in.large(), in.large(),
                in.large());
    }
}
