package org.maniple.kernel.boot;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.maniple.api.Availability;
import org.maniple.api.Extension;
import org.maniple.api.ManipleException;
import org.maniple.api.PluginContext;
import org.maniple.api.checkpoint.Checkpoint;
import org.maniple.api.collective.AllToAll;
import org.maniple.api.collective.Communicator;
import org.maniple.api.collective.PairExchange;
import org.maniple.api.compute.ComputeSession;
import org.maniple.api.mesh.ExpertBalancer;
import org.maniple.api.tensor.Tensor;
import org.maniple.api.transport.ControlTransport;
import org.maniple.api.transport.Endpoint;
import org.maniple.api.transport.HostProcess;
import org.maniple.api.transport.Transport;
import org.maniple.api.transport.TransportException;
import org.maniple.api.transport.Wire;
import org.maniple.kernel.balance.ExpertDirector;
import org.maniple.kernel.balance.ExpertLayer;
import org.maniple.kernel.balance.ExpertMover;
import org.maniple.kernel.balance.ExpertNodes;
import org.maniple.kernel.balance.ExpertReport;
import org.maniple.kernel.balance.LoadSums;
import org.maniple.kernel.bench.BenchReport;
import org.maniple.kernel.config.EffectiveSettings;
import org.maniple.kernel.config.KernelOptions;
import org.maniple.kernel.config.SpeculationWish;
import org.maniple.kernel.config.UnitConfiguration;
import org.maniple.kernel.execute.BetweenSteps;
import org.maniple.kernel.execute.OverlapThresholds;
import org.maniple.kernel.execute.RankExecutor;
import org.maniple.kernel.execute.RankLoop;
import org.maniple.kernel.execute.StepProfile;
import org.maniple.kernel.execute.UnitPipeline;
import org.maniple.kernel.link.DataPorts;
import org.maniple.kernel.link.DataPorts.Way;
import org.maniple.kernel.load.Packing;
import org.maniple.kernel.load.WeightLoader;
import org.maniple.kernel.plugin.ExtensionKind;
import org.maniple.kernel.plugin.Extensions;
import org.maniple.kernel.plugin.KernelExtensions;
import org.maniple.kernel.program.Piece;
import org.maniple.kernel.program.ProgramFingerprint;
import org.maniple.kernel.program.RankProgram;
import org.maniple.kernel.step.StepBatch;
import org.maniple.kernel.unit.Hello;
import org.maniple.kernel.unit.Member;
import org.maniple.kernel.unit.Membership;
import org.maniple.kernel.unit.Phase;
import org.maniple.kernel.unit.RankProgress;
import org.maniple.kernel.unit.ResidentMemory;
import org.maniple.kernel.unit.StartupReport;
import org.maniple.kernel.unit.Ticker;
import org.maniple.kernel.unit.UnitEvents;
import org.maniple.kernel.unit.UnitFailedException;
import org.maniple.kernel.unit.UnitFailure;
import org.maniple.kernel.unit.UnitFollower;
import org.maniple.kernel.unit.UnitLeader;
import org.maniple.kernel.unit.UnitTimes;

/**
 * One rank from its start to its end: it opens its transport, joins, connects, loads its slices, and then serves (rank 0) or follows. The
 * loss of any rank ends it.
 */
final class RankProcess {

    private static final Duration LOAD_LIMIT = Duration.ofHours(1);
    /** How long a rank whose step failed waits for the unit's word about who is to blame. */
    private static final Duration BLAME = Duration.ofSeconds(1);
    /** How long ranks may take to bring the weights of experts that change their places together. */
    private static final Duration MOVE_LIMIT = Duration.ofMinutes(5);
    /** Of all sequences of a step together, unless there are more blocks: 1 MiB. */
    private static final int MAX_TABLE_ENTRIES = 1 << 18;
    private static final int MAX_ROWS = 64;

    private final UnitPlan plan;
    private final EarlyParts parts;
    private final UnitConfiguration configuration;
    private final Place place;
    private final RankProgram program;
    private final ApiPlace apiPlace;
    private final StartupReport report;
    private final BenchReport figures;
    private final StartupTimes times;
    private final Ending ending = new Ending();
    private final RankProgress progress = new RankProgress();
    private final Resources resources = new Resources();
    private DataPorts ports;
    private volatile @Nullable Wire wire;
    private volatile @Nullable RankZero serving;
    private volatile @Nullable GroupApi api;
    private volatile @Nullable ExpertDirector director;
    private volatile @Nullable Membership member;
    private volatile boolean ready;

    RankProcess(UnitPlan plan, EarlyParts parts, StartupReport report, BenchReport figures, StartupTimes times) {
        this.plan = plan;
        this.parts = parts;
        this.configuration = plan.configuration();
        this.place = Place.of(configuration);
        this.program = plan.program().forRank(place.rank());
        this.apiPlace = ApiPlace.of(configuration, plan.program(), place.rank());
        this.report = report;
        this.figures = figures;
        this.times = times;
        this.ports = new DataPorts(place.rank(), List.of());
    }

    /** Runs the rank; the exit code of the process. */
    int run() throws InterruptedException {
        try (resources) {
            place.health().ifPresent(health -> resources.add(HealthPort.open(health.host(), health.port(), this::reasons)));
            Endpoint endpoint = resources.add(openTransport());
            openPorts(endpoint);
            Checkpoint checkpoint = resources.add(plan.format().open(plan.model()));
            Arena arena = resources.add(Arena.ofShared());
            times.mark("transport, checkpoint");
            ComputeSession session = resources.add(parts.session());
            var loader = new WeightLoader(checkpoint, plan.quantization(), arena, session::allocate,
                    new Packing(session::layout, configuration.settings().integer(KernelOptions.THREADS)),
                    WeightCaches.of(configuration.settings(), plan.model(), checkpoint, report::line));
            times.mark("compute back end, self-check");
            if (place.rank() == 0) {
                // Needed at the end, and then known: with GGUF all tokens are read for it.
                Background.start("maniple-defaults", plan.files()::generationDefaults);
            }
            Membership membership = resources.add(membership(endpoint, checkpoint, loader));
            return take(membership, session, loader);
        } catch (UnitFailedException e) {
            return ended().orElseGet(() -> fail(e));
        }
    }

    /** Everything from joining on, where a failure of this rank is one of the unit. */
    private int take(Membership membership, ComputeSession session, WeightLoader loader)
            throws InterruptedException {
        member = membership;
        List<Member> members = membership.join();
        try {
            Communicator communicator = connect(membership, members);
            times.mark("joining, links");
            if (place.rank() == 0) {
                loader.remarks(program).forEach(report::line);
            }
            Map<Piece, Tensor> weights = loader.load(program, (done, total) -> progress.loaded(done));
            membership.reach(Phase.LOADED, LOAD_LIMIT);
            times.mark("weights");
            return work(membership, communicator, session, loader, weights);
        } catch (UnitFailedException e) {
            throw e;
        } catch (RuntimeException e) {
            blame(membership, e);
            throw e;
        }
    }

    /** Ends the rank in order, from a thread that was told to: running requests get some time to finish. */
    void terminate(Duration limit) {
        RankZero zero = serving;
        if (zero != null) {
            zero.drain(limit);
            ending.set(0, "was asked to end");
        } else {
            ending.await(limit);
        }
    }

    /** Whether this was a rank that serves, and it came to that. */
    boolean hasServed() {
        return serving != null && ready;
    }

    private Endpoint openTransport() {
        ControlTransport transport = configuration.controlTransport();
        return transport.open(identity(), place.bind(), context(transport));
    }

    private Transport.Identity identity() {
        return new Transport.Identity(configuration.settings().text(KernelOptions.UNIT_NAME), 1, place.rank(),
                configuration.mesh().ranks(), Place.secret(configuration));
    }

    /** Where data may go: over the transport that ranks find each other by, if it is among the allowed ones, and over others. */
    private void openPorts(Endpoint endpoint) {
        Transport control = configuration.controlTransport();
        List<Way> ways = new ArrayList<>();
        for (Transport transport : configuration.dataTransports()) {
            if (transport.equals(control)) {
                ways.add(Way.over(transport, endpoint));
            } else if (Extensions.probe(transport, configuration.host()) instanceof Availability.Unavailable(var reason)) {
                ways.add(Way.missing(transport, reason));
            } else {
                ways.add(open(transport));
            }
        }
        ports = new DataPorts(place.rank(), ways);
    }

    /** A port, or why there is none: then pairs of ranks take another way, unless this one is the only one that they may take. */
    private Way open(Transport transport) {
        try {
            return Way.over(transport, resources.add(transport.open(identity(), place.bind(), context(transport))));
        } catch (TransportException e) {
            report.line("transport " + transport.name() + " cannot be used here: " + e.getMessage());
            return Way.missing(transport, String.valueOf(e.getMessage()));
        }
    }

    private Membership membership(Endpoint endpoint, Checkpoint checkpoint, WeightLoader loader) {
        Hello hello = hello(endpoint, checkpoint, loader);
        UnitTimes times = UnitTimes.standard().withJoinLimit(configuration.settings().duration(KernelOptions.JOIN_TIMEOUT));
        return place.leads()
                ? new UnitLeader(endpoint, hello, Place.places(configuration), times, progress, new Events(), Ticker.system())
                : new UnitFollower(endpoint, place.meeting().toString(), hello, times, progress, new Events(), Ticker.system());
    }

    private Hello hello(Endpoint endpoint, Checkpoint checkpoint, WeightLoader loader) {
        var plugins = new TreeMap<String, String>();
        configuration.catalog().plugins().forEach(plugin -> plugins.put(plugin.id(), plugin.descriptor().version()));
        // With nobody to compare it with, nobody reads what stands for the model and the program.
        boolean alone = configuration.mesh().ranks() == 1;
        boolean full = configuration.settings().text(KernelOptions.MODEL_CHECKSUM).equals("full");
        SortedMap<String, String> model = alone
                ? Collections.emptySortedMap()
                : new TreeMap<>(checkpoint.fingerprint(full ? Checkpoint.Checksum.FULL : Checkpoint.Checksum.SAMPLED));
        return new Hello(Hello.PROTOCOL, KernelExtensions.version(), 1, place.rank(), configuration.host().hostName(),
                ProcessHandle.current().pid(), process(), UUID.randomUUID().toString(), endpoint.address(), ports.addresses(),
                plugins,
                configuration.settings().comparable(), model, alone ? "" : ProgramFingerprint.of(plan.program()),
                Place.coordinates(configuration.mesh(), place.rank()), loader.bytes(program), apiPlace.serves());
    }

    /** Other ranks of this host look at this process; elsewhere than on Linux they cannot. */
    private static String process() {
        try {
            return HostProcess.here().toString();
        } catch (IOException e) {
            return "";
        }
    }

    private Communicator connect(Membership membership, List<Member> members) {
        int ranks = members.size();
        Set<Integer> peers = new HashSet<>();
        for (int rank = 0; rank < ranks; rank++) {
            if (rank != place.rank()) {
                peers.add(rank);
            }
        }
        Duration joinLimit = configuration.settings().duration(KernelOptions.JOIN_TIMEOUT);
        Wire opened = ports.connect(members.stream().map(Member::ports).toList(), peers, joinLimit);
        wire = resources.add(opened);
        var paths = new HashMap<Integer, String>();
        peers.forEach(peer -> paths.put(peer, opened.path(peer)));
        progress.links(paths, opened::sentBytes);
        progress.exchange(() -> standing(opened));
        membership.reach(Phase.LINKED, joinLimit);
        var collectives = configuration.chosen(ExtensionKind.COLLECTIVES);
        long stepLimit = configuration.settings().duration(KernelOptions.STEP_TIMEOUT).toNanos();
        Communicator communicator = collectives.open(opened, stepLimit, context(collectives));
        if (plan.program().options().exact() && !communicator.keepsTree()) {
            throw new ManipleException("numerics [exact] needs sums along one tree, which collectives [" + collectives.name()
                    + "] do not keep; name others, or use numerics fast");
        }
        return communicator;
    }

    private int work(Membership membership, Communicator communicator, ComputeSession session, WeightLoader loader,
            Map<Piece, Tensor> weights) throws InterruptedException {
        Wire opened = Objects.requireNonNull(wire);
        Capacity capacity = Capacity.agree(program, configuration.settings(), configuration.host(),
                loader.report(program).copiedBytes(),
                configuration.topology().ranksHere(), opened, communicator);
        StepBatch.Limits limits = limits(capacity);
        var executor = new RankExecutor(program, limits, capacity.blocks(), session, communicator, weights,
                this::exchange, Optional.empty());
        overlap(executor, capacity);
        List<PairExchange> exchanges = executor.exchanges();
        progress.exchanges(() -> exchanges.stream().mapToLong(PairExchange::dispatchedBytes).sum(),
                () -> exchanges.stream().mapToLong(PairExchange::combinedBytes).sum());
        executor.clock().waiting(opened::waitedNanos);
        progress.times(executor.clock()::times);
        progress.memory(capacity.blocks() * RankExecutor.blockBytes(program, capacity.blockSize()), ResidentMemory::bytes);
        Optional<ExpertMover> mover = plan.balancer().map(b -> mover(b, membership, executor, communicator, session, loader));
        if (place.rank() == 0) {
            times.mark("kernels, warm-up");
            sayWhatIsNotCompiled(executor);
            BetweenSteps between = mover.map(own -> director().orElseThrow().with(own)).orElse(BetweenSteps.NOTHING);
            return lead(membership,
                    new UnitPipeline(program, executor, opened, communicator, limits, capacity.blocks(), between), capacity,
                    executor.kernels(),
                    configuration.settings().flag(KernelOptions.STEP_PROFILE)
                            ? Optional.of(executor.profile())
                            : Optional.empty());
        }
        var batch = new StepBatch(limits, capacity.blocks(), plan.program().graph().vocabulary());
        if (apiPlace.serves()) {
            api = new GroupApi(plan, capacity, apiPlace, membership, this::context, report);
        }
        return follow(membership, new RankLoop(program, executor, opened, communicator, batch,
                mover.map(BetweenSteps.class::cast).orElse(BetweenSteps.NOTHING)));
    }

    /** As the configuration asks for it: large steps are computed in two halves. */
    private void overlap(RankExecutor executor, Capacity capacity) {
        EffectiveSettings settings = configuration.settings();
        if (!settings.flag(KernelOptions.ENABLE_DBO)) {
            return;
        }
        if (plan.program().mesh().ranks() > 1) {
            executor.overlap(new OverlapThresholds(settings.integer(KernelOptions.DBO_DECODE_TOKEN_THRESHOLD),
                    settings.integer(KernelOptions.DBO_PREFILL_TOKEN_THRESHOLD)), capacity.blocks());
        } else {
            report.line("enable-dbo has no effect: the only rank exchanges nothing with others");
        }
    }

    /** This rank's part in rebalancing experts. */
    private ExpertMover mover(ExpertBalancer balancer, Membership membership, RankExecutor executor, Communicator communicator,
            ComputeSession session, WeightLoader loader) {
        if (place.rank() == 0) {
            ExpertBalancer.Schedule schedule = balancer.schedule();
            director = new ExpertDirector(plan.program(), schedule, MOVE_LIMIT, System::nanoTime, report::line);
            report.line("experts: rebalanced every " + schedule.intervalSteps() + " steps by the loads of the last "
                    + schedule.windowSteps() + ", layers at a time: " + schedule.layersPerChunk());
        }
        List<ExpertLayer> layers = ExpertLayer.of(program, executor);
        Optional<Communicator.Group> group = executor.expertGroup();
        LoadSums sums = group.isPresent()
                ? LoadSums.over(communicator, group.get(), ExpertMover.size(layers), session::allocate)
                : loads -> {};
        var self = new ExpertMover.Self(place.rank(), group.map(g -> g.position() == 0).orElse(false),
                ExpertNodes.of(plan.program(), program.stage(), configuration.topology()::nodeOf));
        return resources.add(new ExpertMover(self, layers, balancer, sums,
                (weight, expert, memory) -> loader.slot(program, weight, expert, memory), session::allocate, told -> {
                    if (place.rank() == 0) {
                        director().orElseThrow().arrived(0, told);
                    } else {
                        membership.send(0, told.encode());
                    }
                }));
    }

    private Optional<ExpertDirector> director() {
        return Optional.ofNullable(director);
    }

    /** What this rank exchanges with others, if it takes part in a step. Other ranks than 0 wait for the next one all the time. */
    private String standing(Wire opened) {
        RankZero zero = serving;
        boolean idle = place.rank() == 0 && (zero == null || zero.stepAge().isEmpty());
        return idle ? "" : opened.standing();
    }

    /** Opens the all-to-all back end that the configuration names. */
    private PairExchange exchange(AllToAll.Setting setting) {
        AllToAll backend = configuration.chosen(ExtensionKind.ALL_TO_ALL);
        return backend.open(setting, context(backend));
    }

    /** Operations that the back end does not implement run one element at a time, which nobody should have to find out by waiting. */
    private void sayWhatIsNotCompiled(RankExecutor executor) {
        List<String> reference = executor.kernels().keySet().stream().filter(k -> k.startsWith(RankExecutor.REFERENCE))
                .map(k -> k.substring(RankExecutor.REFERENCE.length())).sorted().toList();
        if (!reference.isEmpty()) {
            report.line("compute [" + configuration.settings().text(KernelOptions.COMPUTE) + "] does not implement " + reference
                    + "; their scalar implementations run instead");
        }
    }

    /** All but the number of homes are for each of them. */
    private StepBatch.Limits limits(Capacity capacity) {
        int spans = configuration.settings().integer(KernelOptions.MAX_NUM_SEQS);
        int tokens = Math.max(configuration.settings().integer(KernelOptions.MAX_NUM_BATCHED_TOKENS), spans);
        long perSequence = (capacity.maxModelLength() + capacity.blockSize() - 1L) / capacity.blockSize();
        // Sequences that share blocks have more entries in their tables together than there are blocks.
        boolean shared = configuration.settings().flag(KernelOptions.ENABLE_PREFIX_CACHING);
        long most = shared ? Math.max(capacity.blocks(), MAX_TABLE_ENTRIES) : capacity.blocks();
        int blocks = (int) Math.min(perSequence * spans, most);
        // Each guess wants a row of its own.
        int guesses = SpeculationWish.of(configuration.settings()).tokens();
        int rows = Math.max(Math.max(spans, MAX_ROWS), (int) Math.min(tokens, (1L + guesses) * spans));
        return new StepBatch.Limits(tokens, spans, blocks, rows, capacity.blockSize(),
                plan.program().homes());
    }

    private int lead(Membership membership, UnitPipeline pipeline, Capacity capacity, Map<String, Integer> kernels,
            Optional<StepProfile> profile)
            throws InterruptedException {
        var leader = (UnitLeader) membership;
        var guarded = new GuardedPipeline(pipeline, progress, e -> blame(membership, e));
        var zero = new RankZero(plan, guarded, capacity, leader, director(), this::context, report,
                parts.codec());
        serving = zero;
        leader.reach(Phase.READY, LOAD_LIMIT);
        report.links(leader.links());
        report.memory(leader.ranks());
        capacity.lines().forEach(report::line);
        times.mark("tokenizer, other ranks");
        if (configuration.settings().has(KernelOptions.BENCH)) {
            zero.bench(figures, kernels.keySet(), profile);
            ending.set(0, "all is measured");
        } else {
            zero.serve(ending);
            times.mark("frontend");
        }
        ready = true;
        if (configuration.settings().flag(KernelOptions.STARTUP_REPORT)) {
            times.lines().forEach(report::line);
        }
        Ending.End end = ending.await();
        if (end.exitCode() == 0) {
            zero.close(Duration.ofSeconds(5));
        } else {
            report.line("the unit has failed: " + end.reason());
            zero.linger(configuration.settings().duration(KernelOptions.FAULT_LINGER));
        }
        return end.exitCode();
    }

    private int follow(Membership membership, RankLoop loop) {
        membership.reach(Phase.READY, LOAD_LIMIT);
        ready = true;
        GroupApi own = api;
        if (own != null) {
            own.serve(membership::fail);
        }
        try {
            loop.run();
            ending.set(0, "the unit shuts down");
        } catch (RuntimeException e) {
            blame(membership, e);
        }
        int code = ended().orElse(1);
        if (own != null) {
            own.fail(ending.get().map(Ending.End::reason).orElse("the unit shuts down"));
            own.close(code == 0 ? Duration.ZERO : configuration.settings().duration(KernelOptions.FAULT_LINGER));
        }
        return code;
    }

    /** A step has failed here: usually because another rank is gone, which the unit then knows; otherwise this rank is to blame. */
    private void blame(Membership membership, RuntimeException e) {
        if (e instanceof TransportException) {
            membership.lostContact("cannot go on: " + e.getMessage());
        } else {
            membership.fail("failed: " + (e instanceof ManipleException ? e.getMessage() : e.toString()));
        }
        ending.await(BLAME);
        ending.set(1, String.valueOf(e.getMessage()));
    }

    /** Why this rank takes no part in serving now, for health checks. */
    private List<String> reasons() {
        return ending.get().map(end -> List.of(end.reason()))
                .orElseGet(() -> ready ? standstill() : List.of("rank " + place.rank() + " is starting"));
    }

    /** What rank 0 knows of a step that takes longer than any should. */
    private List<String> standstill() {
        RankZero zero = serving;
        Duration limit = configuration.settings().duration(KernelOptions.STEP_TIMEOUT);
        return zero == null
                ? List.of()
                : zero.stepAge().filter(age -> age.compareTo(limit) > 0)
                        .map(age -> "the step that runs has taken " + age.toSeconds() + " s so far").stream().toList();
    }

    private Optional<Integer> ended() {
        return ending.get().map(end -> {
            if (end.exitCode() != 0) {
                report.line("the unit has failed: " + end.reason());
            }
            return end.exitCode();
        });
    }

    private int fail(UnitFailedException e) {
        report.line(String.valueOf(e.getMessage()));
        return 1;
    }

    private PluginContext context(Extension extension) {
        return apiPlace.configuration(configuration).context(extension, line -> {
            if (place.rank() == 0) {
                report.line(line);
            }
        });
    }

    /** What happens to the unit. */
    private final class Events implements UnitEvents {

        @Override
        public void waiting(String line) {
            report.line(line);
        }

        @Override
        public void loading(long doneBytes, long totalBytes) {
            report.loading(doneBytes, totalBytes);
        }

        @Override
        public void arrived(int fromRank, byte[] content) {
            RankZero zero = serving;
            GroupApi own = api;
            ExpertDirector directing = director;
            try {
                if (directing != null && ExpertReport.isOne(content)) {
                    directing.arrived(fromRank, ExpertReport.decode(content));
                } else if (zero != null) {
                    zero.arrived(fromRank, content);
                } else if (own != null) {
                    own.arrived(content);
                }
            } catch (RuntimeException e) {
                Membership known = member;
                if (known != null) {
                    known.fail("cannot read what rank " + fromRank + " sent: " + e.getMessage());
                }
            }
        }

        @Override
        public void failed(UnitFailure failure) {
            end(1, failure.message());
        }

        @Override
        public void stopped(String reason) {
            end(0, reason);
        }

        private void end(int exitCode, String reason) {
            ending.set(exitCode, reason);
            RankZero zero = serving;
            if (zero != null) {
                zero.fail(reason);
            }
            GroupApi own = api;
            if (own != null) {
                own.fail(reason);
            }
            Wire opened = wire;
            if (opened != null) {
                opened.abort(reason);
            }
        }
    }
}
