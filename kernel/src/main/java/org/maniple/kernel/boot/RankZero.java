package org.maniple.kernel.boot;

import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.maniple.api.Extension;
import org.maniple.api.ManipleException;
import org.maniple.api.PluginContext;
import org.maniple.api.config.Settings;
import org.maniple.api.engine.Engine;
import org.maniple.api.engine.ExpertStatus;
import org.maniple.api.engine.SchedulingPolicy;
import org.maniple.api.engine.UnitStatus;
import org.maniple.api.frontend.Frontend;
import org.maniple.api.text.TextCodec;
import org.maniple.kernel.balance.ExpertDirector;
import org.maniple.kernel.bench.BenchPlan;
import org.maniple.kernel.bench.BenchReport;
import org.maniple.kernel.bench.Machine;
import org.maniple.kernel.bench.ModelBench;
import org.maniple.kernel.config.KernelOptions;
import org.maniple.kernel.config.SpeculationWish;
import org.maniple.kernel.config.UnitConfiguration;
import org.maniple.kernel.engine.EngineOptions;
import org.maniple.kernel.engine.StatisticsLog;
import org.maniple.kernel.engine.StepPipeline;
import org.maniple.kernel.engine.UnitEngine;
import org.maniple.kernel.execute.StepProfile;
import org.maniple.kernel.plugin.ExtensionKind;
import org.maniple.kernel.plugin.KernelExtensions;
import org.maniple.kernel.program.MeshProgram;
import org.maniple.kernel.remote.PinnedEngine;
import org.maniple.kernel.remote.RemoteEngineServer;
import org.maniple.kernel.unit.StartupReport;
import org.maniple.kernel.unit.UnitLeader;

/** What only rank 0 does: the engine, the tokenizer and the frontend. */
final class RankZero {

    private static final Duration BENCH_WARM_UP = Duration.ofSeconds(2);

    private final UnitConfiguration configuration;
    private final Function<Extension, PluginContext> contexts;
    private final StartupReport report;
    private final ApiPlace place;
    private final UnitEngine engine;
    private final Optional<RemoteEngineServer> server;
    private final Optional<StatisticsLog> statistics;
    private Frontend.@Nullable Serving frontend;

    RankZero(UnitPlan plan, StepPipeline pipeline, Capacity capacity, UnitLeader leader,
            Optional<ExpertDirector> director,
            Function<Extension, PluginContext> contexts,
            StartupReport report, Optional<TextCodec> codec) {
        this.configuration = plan.configuration();
        this.contexts = contexts;
        this.report = report;
        this.place = ApiPlace.of(configuration, plan.program(), 0);
        int candidates = plan.program().graph().candidates().dims().getLast().extent() / 2 - 1;
        Settings settings = configuration.settings();
        OptionalLong seed = settings.has(KernelOptions.SEED)
                ? OptionalLong.of(settings.integer(KernelOptions.SEED))
                : OptionalLong.empty();
        SchedulingPolicy policy = configuration.chosen(ExtensionKind.SCHEDULING);
        var options = new EngineOptions(pipeline.limits().maxTokens(), settings.integer(KernelOptions.MAX_NUM_SEQS),
                settings.integer(KernelOptions.LONG_PREFILL_TOKEN_THRESHOLD), settings.integer(KernelOptions.MAX_NUM_QUEUED_REQS),
                capacity.blocks(), seed, candidates,
                new EngineOptions.Scheduling(policy.order(settings), policy.usesPriority(),
                        settings.integer(KernelOptions.MAX_NUM_QUEUED_TOKENS), settings.flag(KernelOptions.ENABLE_PREFIX_CACHING),
                        settings.number(KernelOptions.MAX_STEP_STRETCH),
                        settings.duration(KernelOptions.SMOOTH_STEP_TIME)),
                SpeculationWish.of(configuration.settings()));
        this.engine = new UnitEngine(ServedModel.info(plan, capacity), codec, pipeline,
                options, () -> status(leader),
                () -> experts(plan.program(), director), KernelExtensions.version());
        this.server = place.perGroup()
                ? Optional.of(new RemoteEngineServer(engine, otherApis(plan.program()), leader::send))
                : Optional.empty();
        this.statistics = statistics(settings, engine, pipeline.limits().homes(), report);
    }

    private static Optional<StatisticsLog> statistics(Settings settings, UnitEngine engine, int homes, StartupReport report) {
        boolean wanted = !settings.flag(KernelOptions.DISABLE_LOG_STATS)
                && List.of("debug", "info").contains(settings.text(KernelOptions.LOG_LEVEL));
        return wanted
                ? Optional.of(new StatisticsLog(homes, engine::status, report::line, System.nanoTime()))
                : Optional.empty();
    }

    /** The ranks that serve other groups, with the group of each. */
    private static Map<Integer, Integer> otherApis(MeshProgram program) {
        return ApiPlace.firstRanks(program).stream().filter(rank -> rank != 0)
                .collect(Collectors.toMap(rank -> rank, program::homeOf));
    }

    /** A frame has come from another rank that serves. */
    void arrived(int rank, byte[] frame) {
        server.orElseThrow(() -> new ManipleException("rank 0 serves all groups; no rank sends it requests")).arrived(rank,
                frame);
    }

    private static Optional<ExpertStatus> experts(MeshProgram program, Optional<ExpertDirector> director) {
        return Optional.of(director.map(ExpertDirector::status).orElseGet(() -> ExpertDirector.fixed(program)));
    }

    private UnitStatus status(UnitLeader leader) {
        Map<String, String> shown = new LinkedHashMap<>(configuration.settings().shown());
        List<String> reasons = leader.reasons();
        return new UnitStatus(reasons.isEmpty(), reasons, 1, leader.ranks(), leader.links(), shown, 0, 0, 0, 0, List.of());
    }

    /** Takes requests from now on; a prompt that the configuration brings is answered on the terminal first. */
    void serve(Ending ending) {
        engine.start();
        server.ifPresent(RemoteEngineServer::start);
        statistics.ifPresent(log -> {
            engine.observe(log);
            log.start();
        });
        String model = engine.model().names().getFirst();
        Settings settings = configuration.settings();
        boolean answersOnly = settings.flag(KernelOptions.EXIT_AFTER_PROMPT);
        if (!answersOnly && place.serves()) {
            Frontend chosen = configuration.chosen(ExtensionKind.FRONTEND);
            Engine own = place.perGroup() ? new PinnedEngine(engine, place.home()) : engine;
            Frontend.Serving serving = chosen.serve(own, contexts.apply(chosen));
            frontend = serving;
            report.ready(place.perGroup() ? model + " (group " + place.home() + ")" : model, serving.url());
        }
        settings.optionalText(KernelOptions.PROMPT).ifPresent(prompt -> {
            new PromptAnswer(engine, report).answer(prompt, settings.integer(KernelOptions.MAX_TOKENS));
            if (answersOnly) {
                ending.set(0, "the prompt is answered");
            }
        });
    }

    /** Measures instead of serving. */
    void bench(BenchReport figures, Collection<String> kernels, Optional<StepProfile> profile) throws InterruptedException {
        Settings settings = configuration.settings();
        BenchPlan wanted = BenchPlan.parse(settings.text(KernelOptions.BENCH));
        engine.start();
        var given = new LinkedHashMap<String, String>();
        given.put("model_filename", settings.text(KernelOptions.MODEL));
        given.put("model_type", engine.model().architecture());
        given.put("layout", Place.layout(configuration.mesh()));
        given.put("n_threads", Integer.toString(settings.integer(KernelOptions.THREADS)));
        given.put("activation_dtype", settings.text(KernelOptions.ACTIVATION_DTYPE));
        given.put("kernels", BenchReport.kernels(kernels));
        given.put("version", engine.version());
        Machine machine = Machine.now();
        List<ModelBench.Result> results = new ModelBench(engine, BENCH_WARM_UP, figures::progress).run(wanted,
                result -> profile.ifPresent(measured -> {
                    report.line("profile: of " + result.test().name());
                    measured.take().forEach(report::line);
                }));
        figures.model(given, machine, results, wanted.json());
    }

    /** How long the step that runs has taken; empty if there is nothing to do. */
    Optional<Duration> stepAge() {
        return engine.stepAge();
    }

    /** The unit cannot go on: requests end with this reason, and health checks say it. */
    void fail(String reason) {
        engine.fail(reason);
        Frontend.Serving serving = frontend;
        if (serving != null) {
            serving.drain(reason);
        }
    }

    /** Takes no new requests and waits for the running ones. */
    void drain(Duration limit) {
        Frontend.Serving serving = frontend;
        if (serving != null) {
            serving.drain("the unit is shutting down");
        }
        try {
            engine.drain(limit);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Answers health checks for some more time, then ends. */
    void linger(Duration time) throws InterruptedException {
        new CountDownLatch(1).await(time.toNanos(), TimeUnit.NANOSECONDS);
        close(Duration.ZERO);
    }

    void close(Duration limit) throws InterruptedException {
        Frontend.Serving serving = frontend;
        if (serving != null) {
            serving.close();
        }
        statistics.ifPresent(StatisticsLog::close);
        engine.close(limit);
        server.ifPresent(RemoteEngineServer::close);
    }
}
