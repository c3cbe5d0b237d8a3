package org.maniple.serve.openai;

import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import org.maniple.api.engine.Engine;
import org.maniple.api.engine.EngineStatistics;
import org.maniple.api.engine.ExpertStatus;
import org.maniple.api.engine.UnitStatus;
import org.maniple.api.engine.UnitStatus.HomeStatus;
import org.maniple.api.engine.UnitStatus.LinkStatus;
import org.maniple.api.engine.UnitStatus.RankStatus;

/**
 * How the unit is: what there is to know at the moment when somebody asks, from one snapshot. Safe for use by several threads.
 */
final class UnitMetrics {

    private final Engine engine;
    private final String model;
    private final boolean whole;
    private final LongSupplier clock;
    private final StageWindow window;

    /**
     * @param whole whether to tell of all ranks, which one of the servers of a unit does; otherwise only of the engine's own group
     * @param clock nanoseconds since some moment
     */
    UnitMetrics(Engine engine, boolean whole, LongSupplier clock) {
        this.engine = engine;
        this.model = engine.model().names().getFirst();
        this.whole = whole;
        this.clock = clock;
        this.window = new StageWindow(engine.status().ranks(), clock.getAsLong());
    }

    void write(Exposition out) {
        UnitStatus status = engine.status();
        List<HomeStatus> homes = status.homes().stream()
                .filter(home -> engine.home().isEmpty() || engine.home().getAsInt() == home.home()).toList();
        homes.forEach(home -> engine(out, status, home));
        out.gauge("maniple:unit_ready", "Whether requests are taken.", status.ready() ? 1 : 0, EngineSeries.MODEL, model);
        if (whole) {
            out.gauge("maniple:unit_epoch", "How often the unit has been built.", status.epoch());
            queue(out, engine.statistics());
            status.ranks().forEach(rank -> rank(out, rank, RankBlocks.of(status, rank)));
            status.links().forEach(link -> link(out, link));
            stages(out, status);
            engine.experts().ifPresent(experts -> experts(out, experts));
        }
    }

    private void engine(Exposition out, UnitStatus status, HomeStatus home) {
        String[] labels = {EngineSeries.MODEL, model, EngineSeries.ENGINE, "" + home.home()};
        int waiting = status.waitingFor(home);
        out.gauge("vllm:num_requests_running", "Number of requests in model execution batches.", home.runningRequests(),
                labels);
        out.gauge("vllm:num_requests_waiting", "Number of requests waiting to be processed.", waiting, labels);
        String byReason = "vllm:num_requests_waiting_by_reason";
        String why = "Number of requests waiting to be processed, by the reason.";
        out.gauge(byReason, why, waiting, Exposition.with(labels, "reason", "capacity"));
        out.gauge(byReason, why, 0, Exposition.with(labels, "reason", "deferred"));
        double usage = home.kvBlocks() == 0 ? 0 : 1 - (double) home.freeKvBlocks() / home.kvBlocks();
        out.gauge("vllm:kv_cache_usage_perc", "KV-cache usage. 1 means 100 percent usage.", usage, labels);
        out.gauge("vllm:gpu_cache_usage_perc", "The old name of vllm:kv_cache_usage_perc.", usage, labels);
        Map<String, String> configuration = status.configuration();
        out.gauge("vllm:cache_config_info", "Information of the LLMEngine CacheConfig", 1,
                Exposition.with(labels, "block_size", configuration.getOrDefault("block-size", ""), "num_gpu_blocks",
                        "" + home.kvBlocks(),
                        "cache_dtype", configuration.getOrDefault("kv-cache-dtype", "auto"),
                        "gpu_memory_utilization", configuration.getOrDefault("gpu-memory-utilization", "None"),
                        "kv_cache_memory_bytes", configuration.getOrDefault("kv-cache-memory-bytes", "None")));
        out.counter("vllm:num_preemptions_total", "Cumulative number of preemption from the engine.", home.preemptions(), labels);
        String queries = "Prefix cache queries, in terms of number of queried tokens.";
        out.counter("vllm:prefix_cache_queries_total", queries, home.prefixCacheQueries(), labels);
        out.counter("vllm:gpu_prefix_cache_queries_total", "The old name of vllm:prefix_cache_queries.",
                home.prefixCacheQueries(),
                labels);
        String hits = "Prefix cache hits, in terms of number of cached tokens.";
        out.counter("vllm:prefix_cache_hits_total", hits, home.prefixCacheHits(), labels);
        out.counter("vllm:gpu_prefix_cache_hits_total", "The old name of vllm:prefix_cache_hits.", home.prefixCacheHits(),
                labels);
        out.counter("vllm:prompt_tokens_cached_total", "Number of prompt tokens that need not be computed.",
                home.prefixCacheHits(), labels);
        out.counter("maniple:requests_admitted_total", "Requests that have begun.", home.admittedRequests(), labels);
    }

    /** The queue is that of all engines. */
    private void queue(Exposition out, EngineStatistics statistics) {
        String name = "vllm:admission_rejections_total";
        String help = "Requests that were refused because too much waits.";
        out.counter(name, help, statistics.refusedForRequests(), EngineSeries.MODEL, model, "reason", "max_num_queued_reqs");
        out.counter(name, help, statistics.refusedForTokens(), EngineSeries.MODEL, model, "reason", "max_num_queued_tokens");
        out.gauge("maniple:waiting_tokens", "Tokens that have to be computed for the requests that wait, before they go on.",
                statistics.waitingTokens(), EngineSeries.MODEL, model);
    }

    private static void rank(Exposition out, RankStatus rank, RankBlocks blocks) {
        String number = "" + rank.rank();
        String[] place = {"rank", number, "stage", "" + StageWindow.stage(rank), EngineSeries.ENGINE,
            "" + StageWindow.group(rank)};
        out.gauge("maniple:rank_up", "Whether the rank is ready.", rank.state().equals("ready") ? 1 : 0,
                Exposition.with(place, "host", rank.host()));
        out.counter("maniple:rank_steps_total", "Steps that the rank has computed.", rank.times().steps(), place);
        out.counter("maniple:rank_halved_steps_total",
                "Steps that the rank has computed in two halves, one of which computes while the other exchanges data.",
                rank.times().halvedSteps(), place);
        String name = "maniple:rank_step_seconds_total";
        String help = "Where the time of the rank's steps went: computing, exchanging data, waiting in exchanges while nothing came or went.";
        out.counter(name, help, rank.times().computeNanos() / 1e9, Exposition.with(place, "phase", "compute"));
        out.counter(name, help, rank.times().communicationNanos() / 1e9, Exposition.with(place, "phase", "communication"));
        out.counter(name, help, rank.times().waitingNanos() / 1e9, Exposition.with(place, "phase", "waiting"));
        out.gauge("maniple:rank_kv_blocks", "KV blocks of the rank.", blocks.all(), place);
        out.gauge("maniple:rank_kv_blocks_referenced", "KV blocks of the rank that requests hold.", blocks.referenced(), place);
        String memory = "maniple:rank_memory_bytes";
        String what = "Memory of the rank: its weights, its KV cache, which takes room only as it is used, and what its process has in memory.";
        out.gauge(memory, what, rank.weightBytes(), "rank", number, "kind", "weights");
        out.gauge(memory, what, rank.kvBytes(), "rank", number, "kind", "kv_cache");
        out.gauge(memory, what, rank.residentBytes(), "rank", number, "kind", "resident");
        out.counter("maniple:ep_dispatched_bytes_total", "Bytes of tokens that the all-to-all back end has sent to experts.",
                rank.dispatchedBytes(), "rank", number);
        out.counter("maniple:ep_combined_bytes_total", "Bytes of results that the all-to-all back end has sent back.",
                rank.combinedBytes(), "rank", number);
    }

    private static void link(Exposition out, LinkStatus link) {
        out.counter("maniple:link_bytes_total", "Bytes sent from one rank to another.", link.sentBytes(), "src",
                "" + link.from(), "dst", "" + link.to(), "transport", link.path());
    }

    private void stages(Exposition out, UnitStatus status) {
        for (StageWindow.Stage stage : window.look(status.ranks(), clock.getAsLong())) {
            String[] labels = {"stage", "" + stage.stage(), EngineSeries.ENGINE, "" + stage.group()};
            out.gauge("maniple:stage_busy_ratio",
                    "Part of the last seconds in which the ranks of a stage computed or exchanged data, on average.",
                    stage.busy(),
                    labels);
            if (stage.slowest().isPresent()) {
                out.gauge("maniple:slowest_rank", "The rank of a stage that has computed longest in the last seconds.",
                        stage.slowest().getAsInt(), labels);
                out.gauge("maniple:stage_imbalance_ratio",
                        "How long the slowest rank of a stage has computed in the last seconds, divided by the mean of all.",
                        stage.imbalance(), labels);
            }
        }
    }

    private static void experts(Exposition out, ExpertStatus experts) {
        if (experts.layers().isEmpty()) {
            return;
        }
        out.counter("maniple:eplb_rebalances_total", "Rounds in which experts have changed their places.", experts.rounds());
        out.counter("maniple:eplb_abandoned_total", "Rounds that were given up.", experts.abandonedRounds());
        experts.layers().forEach(layer -> layer.balancedness().ifPresent(balance -> out.gauge("maniple:ep_balancedness",
                "Mean load of a rank by its experts divided by the greatest, in the window before the last round.", balance,
                "layer", "" + layer.layer())));
    }
}
