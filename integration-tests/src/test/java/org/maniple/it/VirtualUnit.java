package org.maniple.it;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.function.IntFunction;
import java.util.stream.Stream;
import org.maniple.api.checkpoint.Checkpoint;
import org.maniple.api.checkpoint.CheckpointFormat;
import org.maniple.api.checkpoint.CompanionFiles;
import org.maniple.api.collective.AllToAll;
import org.maniple.api.collective.Communicator;
import org.maniple.api.compute.ComputeBackend;
import org.maniple.api.compute.ComputeSession;
import org.maniple.api.engine.ExpertStatus;
import org.maniple.api.graph.Axes;
import org.maniple.api.graph.ModelGraph;
import org.maniple.api.mesh.AxisRule;
import org.maniple.api.mesh.ExpertBalancer;
import org.maniple.api.mesh.Mesh;
import org.maniple.api.mesh.MeshDimension;
import org.maniple.api.mesh.Parallelism;
import org.maniple.api.model.ModelArchitecture;
import org.maniple.api.model.ModelConfig;
import org.maniple.api.tensor.DType;
import org.maniple.api.transport.Port;
import org.maniple.api.transport.Transport;
import org.maniple.api.transport.Wire;
import org.maniple.checkpoint.gguf.GgufFormat;
import org.maniple.checkpoint.safetensors.SafetensorsFormat;
import org.maniple.collectives.tree.TreeCollectives;
import org.maniple.compute.cpu.CpuBackend;
import org.maniple.kernel.balance.ExpertDirector;
import org.maniple.kernel.balance.ExpertLayer;
import org.maniple.kernel.balance.ExpertMover;
import org.maniple.kernel.balance.ExpertNodes;
import org.maniple.kernel.balance.ExpertReport;
import org.maniple.kernel.balance.LoadSums;
import org.maniple.kernel.execute.BetweenSteps;
import org.maniple.kernel.execute.Observer;
import org.maniple.kernel.execute.OverlapThresholds;
import org.maniple.kernel.execute.RankExecutor;
import org.maniple.kernel.execute.RankLoop;
import org.maniple.kernel.execute.StepClock;
import org.maniple.kernel.execute.UnitPipeline;
import org.maniple.kernel.load.LoadReport;
import org.maniple.kernel.load.Packing;
import org.maniple.kernel.load.Quantization;
import org.maniple.kernel.load.WeightLoader;
import org.maniple.kernel.program.BlockGrid;
import org.maniple.kernel.program.CacheType;
import org.maniple.kernel.program.CompileOptions;
import org.maniple.kernel.program.MeshProgram;
import org.maniple.kernel.program.ProgramCompiler;
import org.maniple.kernel.program.RankProgram;
import org.maniple.kernel.step.StepBatch;
import org.maniple.model.deepseek.DeepseekFamily;
import org.maniple.model.gemma.GemmaFamily;
import org.maniple.model.glm.GlmFamily;
import org.maniple.model.gptoss.GptOssFamily;
import org.maniple.model.granite.GraniteFamily;
import org.maniple.model.llama.LlamaFamily;
import org.maniple.model.mixtral.MixtralFamily;
import org.maniple.model.olmoe.OlmoeFamily;
import org.maniple.model.qwen.QwenFamily;
import org.maniple.moe.ep.DirectAllToAll;
import org.maniple.moe.ep.ExpertParallelism;
import org.maniple.moe.ep.RdmaAllToAll;
import org.maniple.moe.ep.SharedMemoryAllToAll;
import org.maniple.parallel.dp.DataParallelism;
import org.maniple.parallel.pp.PipelineParallelism;
import org.maniple.parallel.tp.TensorParallelism;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/** A unit whose ranks are threads of this process, connected by a transport of their layout. The calling thread is rank 0. */
final class VirtualUnit implements AutoCloseable {

    static final List<Parallelism> SHIPPED = List.of(new TensorParallelism(), new PipelineParallelism(), new DataParallelism(),
            new ExpertParallelism());
    static final List<ModelArchitecture> MODELS = List.of(new LlamaFamily(), new QwenFamily(), new GemmaFamily(),
            new DeepseekFamily(), new MixtralFamily(), new OlmoeFamily(), new GlmFamily(), new GptOssFamily(),
            new GraniteFamily());

    private static final byte[] SECRET = "a secret of sixteen bytes or more".getBytes(java.nio.charset.StandardCharsets.UTF_8);
    private static final Duration LIMIT = Duration.ofSeconds(60);

    private final Arena arena = Arena.ofShared();
    private final List<Thread> rankThreads = new ArrayList<>();
    private final List<AutoCloseable> open = new ArrayList<>();
    private final Map<Integer, LoadReport> reports = new ConcurrentHashMap<>();
    private final Map<Integer, Throwable> failures = new ConcurrentHashMap<>();
    private final List<Wire> wires = new ArrayList<>();
    private final ComputeBackend backend = new CpuBackend();
    private final MeshProgram program;
    private final UnitPipeline pipeline;
    private final Optional<ExpertBalancer> balancer;
    private final Optional<ExpertDirector> director;
    private final List<String> lines = new CopyOnWriteArrayList<>();
    private final StepBatch.Limits limits;
    private final int blocks;
    private final TestContext context;
    private final Quantization quantization;
    private final int threads;
    private final Optional<OverlapThresholds> halves;
    private final Map<Integer, StepClock> clocks = new ConcurrentHashMap<>();

    VirtualUnit(Path model, Layout layout, StepBatch.Limits limits, int blocks) {
        this(model, SHIPPED, MODELS, layout, limits, blocks, rank -> Optional.empty());
    }

    VirtualUnit(Path model, List<Parallelism> parallelisms, List<ModelArchitecture> models, Layout layout,
            StepBatch.Limits perHome, int blocks, IntFunction<Optional<Observer>> observers) {
        this.blocks = blocks;
        this.threads = layout.threads();
        this.halves = layout.halves();
        this.context = new TestContext(settings(parallelisms, layout));
        this.quantization = quantization(model, models, layout);
        var types = new HashMap<>(types(model));
        types.putAll(quantization.blockTypes(graph(config(model), models, layout), Set.of()));
        this.program = compile(config(model), parallelisms, models, layout, types);
        this.limits = new StepBatch.Limits(perHome.maxTokens(), perHome.maxSpans(), perHome.maxBlocks(), perHome.maxRows(),
                perHome.blockSize(), program.homes());
        this.balancer = parallelisms.stream().sorted(Comparator.comparingInt(Parallelism::precedence))
                .filter(p -> p.rules(context.settings()).stream().anyMatch(rule -> rule.axis().equals(Axes.EXPERTS)))
                .findFirst().flatMap(p -> p.balancer(context.settings()));
        balancer.ifPresent(b -> ExpertNodes.check(b, program, rank -> 0));
        this.director = balancer.map(b -> new ExpertDirector(program, b.schedule(), LIMIT, System::nanoTime, lines::add));
        int ranks = program.mesh().ranks();
        Transport transport = layout.transport();
        List<Port> endpoints = new ArrayList<>();
        for (int rank = 0; rank < ranks; rank++) {
            var identity = new Transport.Identity("virtual", 1, rank, ranks, SECRET);
            endpoints.add(transport.open(identity, new Transport.Bind("localhost", 0), context));
        }
        open.addAll(endpoints);
        try {
            pipeline = start(model, endpoints, observers);
        } catch (RuntimeException | Error e) {
            abandon(endpoints);
            throw e;
        }
    }

    private UnitPipeline start(Path model, List<Port> endpoints, IntFunction<Optional<Observer>> observers) {
        int ranks = endpoints.size();
        List<String> addresses = endpoints.stream().map(Port::address).toList();
        var ready = new CountDownLatch(ranks - 1);
        for (int rank = 1; rank < ranks; rank++) {
            int own = rank;
            rankThreads.add(Thread.ofPlatform().name("rank " + rank)
                    .start(() -> follow(own, model, endpoints.get(own), addresses, observers, ready)));
        }
        Wire wire = endpoints.getFirst().connect(addresses, others(0, ranks), LIMIT);
        Communicator communicator = new TreeCollectives().open(wire, LIMIT.toNanos(), context);
        RankProgram own = program.forRank(0);
        var loaded = load(own, model, communicator, observers.apply(0));
        var leading = new UnitPipeline(own, loaded.executor(), wire, communicator, limits, blocks,
                loaded.mover().map(mover -> director.orElseThrow().with(mover)).orElse(BetweenSteps.NOTHING));
        try {
            ready.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
        if (!failures.isEmpty()) {
            throw new IllegalStateException("ranks failed at start: " + failures, failures.values().iterator().next());
        }
        return leading;
    }

    /** After a failure at the start: ranks that wait for this one notice that their links end. */
    private void abandon(List<Port> endpoints) {
        endpoints.forEach(Port::close);
        closeAll();
    }

    /** As the model's configuration says, or as the layout asks. */
    private static Quantization quantization(Path model, List<ModelArchitecture> models, Layout layout) {
        ModelConfig config = config(model);
        var asked = (String) layout.settings().get("quantization");
        return asked == null
                ? Quantization.of(config)
                : Quantization.of(config).converting(graph(config, models, layout),
                        DType.valueOf(asked.toUpperCase(Locale.ROOT)));
    }

    private static ModelGraph graph(ModelConfig config, List<ModelArchitecture> models, Layout layout) {
        ModelArchitecture family = models.stream().filter(m -> m.accepts(config)).findFirst().orElseThrow();
        return layout.guessing() ? family.draftingGraph(config).orElseThrow() : family.graph(config);
    }

    private static CheckpointFormat format(Path model) {
        var gguf = new GgufFormat();
        return gguf.accepts(model) ? gguf : new SafetensorsFormat();
    }

    static ModelConfig config(Path model) {
        try {
            Optional<CompanionFiles> companions = format(model).companions(model);
            byte[] json = companions.isPresent()
                    ? companions.get().read("config.json").orElseThrow()
                    : Files.readAllBytes(model.resolve("config.json"));
            Map<String, Object> values = new JsonMapper().readValue(json, new TypeReference<>() {});
            return new ModelConfig("config.json", values);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** How the tensors of a GGUF file are stored. */
    private static Map<String, DType> types(Path model) {
        var types = new HashMap<String, DType>();
        if (format(model) instanceof GgufFormat gguf) {
            try (Checkpoint checkpoint = gguf.open(model)) {
                checkpoint.names().forEach(name -> types.put(name, checkpoint.tensor(name).orElseThrow().dtype()));
            }
        }
        return types;
    }

    /** What ranks of a layout compute for a model. */
    static MeshProgram program(Path model, Layout layout) {
        return compile(config(model), SHIPPED, MODELS, layout, types(model));
    }

    static MeshProgram compile(ModelConfig config, List<Parallelism> parallelisms, List<ModelArchitecture> models,
            Layout layout) {
        return compile(config, parallelisms, models, layout, Map.of());
    }

    private static MeshProgram compile(ModelConfig config, List<Parallelism> parallelisms, List<ModelArchitecture> models,
            Layout layout, Map<String, DType> types) {
        var settings = settings(parallelisms, layout);
        ModelGraph graph = graph(config, models, layout);
        var dimensions = new ArrayList<MeshDimension>();
        var owners = new ArrayList<Parallelism>();
        for (Parallelism parallelism : parallelisms) {
            for (MeshDimension dimension : parallelism.dimensions()) {
                dimensions.add(dimension);
                owners.add(parallelism);
            }
        }
        List<MeshDimension> sorted = dimensions.stream().sorted(Comparator.comparingInt(MeshDimension::nesting)).toList();
        List<Integer> sizes = sorted.stream().map(d -> owners.get(dimensions.indexOf(d)).size(d, settings)).toList();
        var mesh = new Mesh(sorted, sizes);
        List<Parallelism> ordered = parallelisms.stream().sorted(Comparator.comparingInt(Parallelism::precedence)).toList();
        List<AxisRule> rules = ordered.stream().flatMap(p -> p.rules(settings).stream()).toList();
        Optional<Parallelism> placing = ordered.stream()
                .filter(p -> p.rules(settings).stream().anyMatch(rule -> rule.axis().equals(Axes.EXPERTS))).findFirst();
        boolean exact = settings.text("numerics").equals("exact");
        var options = new CompileOptions(exact, exact || settings.text("moe-combine").equals("expert-order"),
                backend(settings.text("all2all-backend")).map(AllToAll::gathers).orElse(true),
                CacheType.of(settings.text("kv-cache-dtype")));
        return new ProgramCompiler(graph, mesh, rules, options,
                (layer, experts) -> placing.flatMap(p -> p.experts(layer, experts, mesh, settings)),
                BlockGrid.of(graph.parameters(), tensor -> Optional.ofNullable(types.get(tensor)))).compile();
    }

    /** The one that exchanges tokens between pairs of ranks, if this is one that does. */
    private static Optional<AllToAll> backend(String name) {
        return Stream.<AllToAll>of(new DirectAllToAll(), new RdmaAllToAll(), new SharedMemoryAllToAll())
                .filter(backend -> backend.name().equals(name)).findFirst();
    }

    private static MapSettings settings(List<Parallelism> parallelisms, Layout layout) {
        var options = new ArrayList<>(new DirectAllToAll().options());
        options.addAll(new CpuBackend().options());
        parallelisms.forEach(p -> options.addAll(p.options()));
        // References are of float activations; who compares others says so.
        var values = new HashMap<>(layout.settings());
        values.putIfAbsent("activation-dtype", "f32");
        values.putIfAbsent("kv-cache-dtype", "auto");
        return new MapSettings(values, options);
    }

    MeshProgram program() {
        return program;
    }

    UnitPipeline pipeline() {
        return pipeline;
    }

    /** How many steps each rank has computed in halves. */
    List<Long> halvedSteps() {
        return new TreeMap<>(clocks).values().stream().map(clock -> clock.times().halvedSteps()).toList();
    }

    /** What each rank has loaded. */
    Map<Integer, LoadReport> reports() {
        return reports;
    }

    private void follow(int rank, Path model, Port endpoint, List<String> addresses,
            IntFunction<Optional<Observer>> observers,
            CountDownLatch ready) {
        try {
            Wire wire = endpoint.connect(addresses, others(rank, addresses.size()), LIMIT);
            synchronized (wires) {
                wires.add(wire);
            }
            Communicator communicator = new TreeCollectives().open(wire, LIMIT.toNanos(), context);
            RankProgram own = program.forRank(rank);
            var loaded = load(own, model, communicator, observers.apply(rank));
            var batch = new StepBatch(limits, blocks, program.graph().vocabulary());
            var loop = new RankLoop(own, loaded.executor(), wire, communicator, batch,
                    loaded.mover().map(BetweenSteps.class::cast).orElse(BetweenSteps.NOTHING));
            ready.countDown();
            loop.run();
        } catch (RuntimeException | Error e) {
            failures.put(rank, e);
            ready.countDown();
        }
    }

    private static Set<Integer> others(int rank, int ranks) {
        var others = new HashSet<Integer>();
        for (int i = 0; i < ranks; i++) {
            if (i != rank) {
                others.add(i);
            }
        }
        return others;
    }

    private record Loaded(RankExecutor executor, Optional<ExpertMover> mover) {}

    private Loaded load(RankProgram own, Path model, Communicator communicator, Optional<Observer> observer) {
        ComputeSession session = backend.open(context, threads);
        Checkpoint checkpoint = format(model).open(model);
        synchronized (open) {
            open.add(session);
            open.add(checkpoint);
        }
        var loader = new WeightLoader(checkpoint, quantization, arena, session::allocate,
                new Packing(session::layout, 1));
        var weights = loader.load(own, (done, total) -> {});
        reports.put(own.rank(), loader.report(own));
        var executor = new RankExecutor(own, limits, blocks, session, communicator, weights,
                setting -> backend(context.settings().text("all2all-backend")).orElseThrow().open(setting, context), observer);
        halves.ifPresent(thresholds -> executor.overlap(thresholds, blocks));
        clocks.put(own.rank(), executor.clock());
        Optional<ExpertMover> mover = balancer.map(b -> mover(b, own, executor, communicator, session, loader));
        synchronized (open) {
            mover.ifPresent(m -> open.addFirst(m));
        }
        return new Loaded(executor, mover);
    }

    private ExpertMover mover(ExpertBalancer chosen, RankProgram own, RankExecutor executor, Communicator communicator,
            ComputeSession session, WeightLoader loader) {
        List<ExpertLayer> layers = ExpertLayer.of(own, executor);
        Optional<Communicator.Group> group = executor.expertGroup();
        LoadSums sums = group.isPresent()
                ? LoadSums.over(communicator, group.get(), ExpertMover.size(layers), session::allocate)
                : loads -> {};
        boolean speaks = group.map(g -> g.position() == 0).orElse(false);
        return new ExpertMover(new ExpertMover.Self(own.rank(), speaks, 1), layers, chosen, sums,
                (weight, expert, memory) -> loader.slot(own, weight, expert, memory), session::allocate,
                report -> director.orElseThrow().arrived(own.rank(), ExpertReport.decode(report.encode())));
    }

    /** Where experts are, on a unit that rebalances. */
    ExpertStatus experts() {
        return director.orElseThrow().status();
    }

    /** What has been shown to the user. */
    List<String> lines() {
        return lines;
    }

    @Override
    public void close() {
        pipeline.shutdown();
        closeAll();
        if (!failures.isEmpty()) {
            throw new IllegalStateException("ranks failed: " + failures, failures.values().iterator().next());
        }
    }

    private void closeAll() {
        for (Thread thread : rankThreads) {
            try {
                if (!thread.join(LIMIT)) {
                    throw new IllegalStateException(thread.getName() + " does not end");
                }
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
        for (AutoCloseable closeable : open) {
            try {
                closeable.close();
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }
        arena.close();
    }
}
