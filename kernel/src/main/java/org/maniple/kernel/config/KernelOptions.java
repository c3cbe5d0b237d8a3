package org.maniple.kernel.config;

import java.util.List;
import java.util.regex.Pattern;
import org.maniple.api.config.Option;
import org.maniple.api.config.OptionType;

/**
 * The keys that the kernel itself reads. Their other spellings are in the table of {@link FieldSpellings}. Keys of parallelisms and
 * other plugins are declared by those.
 */
public final class KernelOptions {

    /** Path of the model. */
    public static final String MODEL = "model";
    /** What clients call the model. */
    public static final String SERVED_MODEL_NAME = "served-model-name";
    /** Where rank 0 serves. */
    public static final String HOST = "host";
    /** Where rank 0 serves. */
    public static final String PORT = "port";
    /** Where health is answered before the unit can serve. */
    public static final String HEALTH_PORT = "health-port";
    /** Extension between ranks. */
    public static final String TRANSPORT = "transport";
    /** What protects what goes from host to host. */
    public static final String LINK_SECURITY = "link-security";
    /** Extension on top of the transport. */
    public static final String COLLECTIVES = "collectives";
    /** Extension that brings tokens to their experts. */
    public static final String ALL2ALL_BACKEND = "all2all-backend";
    /** Where and in which order the results of experts are summed. */
    public static final String MOE_COMBINE = "moe-combine";
    /** Extension that computes. */
    public static final String COMPUTE = "compute";
    /** Extension that serves. */
    public static final String FRONTEND = "frontend";
    /** Path of the tokenizer, if it is not the model's. */
    public static final String TOKENIZER = "tokenizer";
    /** Serve token ids only. */
    public static final String SKIP_TOKENIZER_INIT = "skip-tokenizer-init";
    /** Positions of a request. */
    public static final String MAX_MODEL_LEN = "max-model-len";
    /** Sequences of a step. */
    public static final String MAX_NUM_SEQS = "max-num-seqs";
    /** Tokens of a step. */
    public static final String MAX_NUM_BATCHED_TOKENS = "max-num-batched-tokens";
    /** Whether steps are computed in two halves. */
    public static final String ENABLE_DBO = "enable-dbo";
    /** From how many tokens on, without prompts. */
    public static final String DBO_DECODE_TOKEN_THRESHOLD = "dbo-decode-token-threshold";
    /** From how many tokens on, with prompts. */
    public static final String DBO_PREFILL_TOKEN_THRESHOLD = "dbo-prefill-token-threshold";
    /** Extension that says which requests go first. */
    public static final String SCHEDULING_POLICY = "scheduling-policy";
    /** How much longer prompts may make steps. */
    public static final String MAX_STEP_STRETCH = "max-step-stretch";
    /** What steps may take without anybody noticing. */
    public static final String SMOOTH_STEP_TIME = "smooth-step-time";
    /** Requests that may wait. */
    public static final String MAX_NUM_QUEUED_REQS = "max-num-queued-reqs";
    /** Tokens of requests that may wait. */
    public static final String MAX_NUM_QUEUED_TOKENS = "max-num-queued-tokens";
    /** Tokens of one prompt in a step. */
    public static final String LONG_PREFILL_TOKEN_THRESHOLD = "long-prefill-token-threshold";
    /** Bytes of KV cache of each rank. */
    public static final String KV_CACHE_MEMORY_BYTES = "kv-cache-memory-bytes";
    /** KV blocks, exactly. */
    public static final String NUM_GPU_BLOCKS_OVERRIDE = "num-gpu-blocks-override";
    /** What the KV cache holds. */
    public static final String KV_CACHE_DTYPE = "kv-cache-dtype";
    /** Part of the memory for weights and KV cache. */
    public static final String GPU_MEMORY_UTILIZATION = "gpu-memory-utilization";
    /** Whether requests that begin alike share KV blocks. */
    public static final String ENABLE_PREFIX_CACHING = "enable-prefix-caching";
    /** How outputs are guessed, in vLLM's words. */
    public static final String SPECULATIVE_CONFIG = "speculative-config";
    /** How outputs are guessed, in SGLang's words. */
    public static final String SPECULATIVE_ALGORITHM = "speculative-algorithm";
    /** Guesses in a step. */
    public static final String SPECULATIVE_NUM_STEPS = "speculative-num-steps";
    /** Guesses in a step, and one. */
    public static final String SPECULATIVE_NUM_DRAFT_TOKENS = "speculative-num-draft-tokens";
    /** Guesses at each place. */
    public static final String SPECULATIVE_EAGLE_TOPK = "speculative-eagle-topk";
    /** Tokens of a KV block. */
    public static final String BLOCK_SIZE = "block-size";
    /** What weights become when they are loaded. */
    public static final String QUANTIZATION = "quantization";
    /** Where weights are kept in the form in which they are computed with. */
    public static final String WEIGHT_CACHE = "weight-cache";
    /** Precision of activations. */
    public static final String ACTIVATION_DTYPE = "activation-dtype";
    /** Whether bits may depend on the layout. */
    public static final String NUMERICS = "numerics";
    /** Computing threads of each rank. */
    public static final String THREADS = "threads";
    /** Who decides how the model is spread. */
    public static final String PARALLEL = "parallel";
    /** Memory that planning counts with. */
    public static final String MEMORY_LIMIT = "memory-limit";
    /** Nodes of the unit. */
    public static final String NNODES = "nnodes";
    /** Which of them this is. */
    public static final String NODE_RANK = "node-rank";
    /** Ranks on each node. */
    public static final String RANKS_PER_NODE = "ranks-per-node";
    /** Which rank of its node a process is. */
    public static final String LOCAL_RANK = "local-rank";
    /** Where the ranks meet. */
    public static final String DIST_INIT_ADDR = "dist-init-addr";
    /** Host part of {@link #DIST_INIT_ADDR}. */
    public static final String MASTER_ADDR = "master-addr";
    /** Port part of {@link #DIST_INIT_ADDR}. */
    public static final String MASTER_PORT = "master-port";
    /** Where {@code launch} tells the ranks that it starts to meet. */
    public static final String LAUNCHER_ADDR = "launcher-addr";
    /** Name of the unit. */
    public static final String UNIT_NAME = "unit-name";
    /** Shared secret of the unit. */
    public static final String UNIT_SECRET = "unit-secret";
    /** File with the shared secret. */
    public static final String UNIT_SECRET_FILE = "unit-secret-file";
    /** Network interface between nodes. */
    public static final String COMM_IFNAME = "comm-ifname";
    /** How long ranks wait for each other. */
    public static final String JOIN_TIMEOUT = "join-timeout";
    /** How long one exchange of a step may take. */
    public static final String STEP_TIMEOUT = "step-timeout";
    /** How long a failed unit answers. */
    public static final String FAULT_LINGER = "fault-linger";
    /** How the ranks compare their models. */
    public static final String MODEL_CHECKSUM = "model-checksum";
    /** What is logged. */
    public static final String LOG_LEVEL = "log-level";
    /** Whether statistics are not logged. */
    public static final String DISABLE_LOG_STATS = "disable-log-stats";
    /** Seed of sampling. */
    public static final String SEED = "seed";
    /** How long running requests may go on when the unit is told to end. */
    public static final String SHUTDOWN_TIMEOUT = "shutdown-timeout";
    /** A prompt that is answered on the terminal. */
    public static final String PROMPT = "prompt";
    /** Tokens of that answer. */
    public static final String MAX_TOKENS = "max-tokens";
    /** End once the prompt is answered. */
    public static final String EXIT_AFTER_PROMPT = "exit-after-prompt";
    /** What is measured instead of serving. */
    public static final String BENCH = "bench";
    /** Whether the time of each part of the start is printed. */
    public static final String STARTUP_REPORT = "startup-report";
    /** Where is kept what the next start need not find out again. */
    public static final String CACHE_DIR = "cache-dir";
    /** Whether kernels are timed one by one. */
    public static final String STEP_PROFILE = "step-profile";
    /** Start without serving. */
    public static final String HEADLESS = "headless";
    /** Serve at every group of ranks. */
    public static final String API_PER_GROUP = "api-per-group";

    /** Where ranks meet if nobody says at which port. */
    static final int DEFAULT_RENDEZVOUS_PORT = 29501;

    /** Block types that weights of floats can be converted to. */
    public static final List<String> CONVERSIONS = List.of("q8_0", "q4_0", "q4_1", "q5_0", "q5_1", "iq4_nl", "mxfp4");

    /** What keys and values can be cached as; the second spelling of a type is vLLM's and SGLang's. */
    public static final List<String> CACHE_TYPES = List.of("auto", "f32", "float32", "bf16", "bfloat16", "int8");

    /** All of them, in the order in which help lists them. */
    public static final List<Option> ALL = List.of(
            text(MODEL, "Path of the model: a folder with config.json and weights, or a file.").asLocal(),
            Option.of(SERVED_MODEL_NAME, OptionType.TEXTS,
                    "Names that clients may use for the model; by default its path as given.").asLocal(),
            text(TOKENIZER, "Path of the tokenizer, if it is not beside the model.").asLocal(),
            Option.of(SKIP_TOKENIZER_INIT, OptionType.BOOLEAN, "Serve token ids only, without a tokenizer.").withDefault("false"),
            text(HOST, "Address at which rank 0 serves; the default is reached from the same machine only.")
                    .withDefault("127.0.0.1").asLocal(),
            integer(PORT, 0, "Port at which rank 0 serves; 0: any free one.").withDefault("8000").asLocal(),
            integer(HEALTH_PORT, 0, "Port at which every node answers health checks, also before the unit can serve.").asLocal(),
            text(TRANSPORT, "How ranks reach each other.").withDefault("auto"),
            text(LINK_SECURITY,
                    "What protects what ranks send from host to host: auth, ranks that have proved the unit's secret, and checksums; integrity, a code on"
                            + " everything that nobody makes without the secret; encrypt, TLS 1.3.")
                    .withDefault("auth").withChoices("auth", "integrity", "encrypt"),
            text(COLLECTIVES, "Algorithms for what groups of ranks do together.").withDefault("auto"),
            text(ALL2ALL_BACKEND, "How tokens are brought to the ranks that have their experts, and results back.")
                    .withDefault("auto"),
            text(MOE_COMBINE,
                    "expert-order: results of experts are summed where the token lives, by expert; rank-sum: each rank sums its own first.")
                    .withDefault("auto").withChoices("auto", "expert-order", "rank-sum"),
            text(COMPUTE, "What computes.").withDefault("auto"),
            text(FRONTEND, "How clients reach the unit.").withDefault("auto").asLocal(),
            integer(MAX_MODEL_LEN, 1, "Most tokens of a request, prompt and output together; by default the model's."),
            integer(MAX_NUM_SEQS, 1, "Most sequences in one step.").withDefault("64"),
            integer(MAX_NUM_BATCHED_TOKENS, 1, "Most tokens in one step; longer prompts are cut into chunks.").withDefault("512"),
            integer(LONG_PREFILL_TOKEN_THRESHOLD, 0, "Most tokens of one prompt in one step; 0: as many as there is room for.")
                    .withDefault("0"),
            Option.of(ENABLE_DBO, OptionType.BOOLEAN,
                    "Two-batch overlap: compute steps of many tokens in two halves, one of which computes while what the other one exchanges with"
                            + " other ranks is on its way. Pays where the network is slow; every weight is read twice in such a step.")
                    .withDefault("false").withAliases("--enable-two-batch-overlap"),
            integer(DBO_DECODE_TOKEN_THRESHOLD, 2,
                    "With enable-dbo: the fewest tokens of a step that is computed in halves, if every sequence has one token in it.")
                    .withDefault("32"),
            integer(DBO_PREFILL_TOKEN_THRESHOLD, 2,
                    "With enable-dbo: the fewest tokens of a step that is computed in halves, if a sequence has several tokens in it.")
                    .withDefault("512"),
            Option.of(MAX_STEP_STRETCH, OptionType.NUMBER,
                    "How many times as long as without prompts a step may take while streams run; 0: any time. More is better for new requests,"
                            + " less for running ones.")
                    .withDefault("2.5"),
            duration(SMOOTH_STEP_TIME,
                    "What a step may take while streams run even if that is longer than max-step-stretch says, where a prompt would take half as"
                            + " long again as alone otherwise.")
                    .withDefault("50ms"),
            text(SCHEDULING_POLICY, "Which requests go first: fcfs, those that came first; priority, as they say.")
                    .withDefault("fcfs"),
            integer(MAX_NUM_QUEUED_REQS, 1, "Most requests that wait for room; others are refused with status 503.")
                    .withDefault("1024"),
            integer(MAX_NUM_QUEUED_TOKENS, 1,
                    "Most tokens of requests that wait for room; others are refused with status 503. One may always wait.")
                    .withDefault("4194304"),
            Option.of(KV_CACHE_MEMORY_BYTES, OptionType.BYTES, "Memory of each rank for KV blocks, in bytes.").withMinimum(1),
            text(KV_CACHE_DTYPE,
                    "What keys and values are cached as: f32, as they are computed (auto); bf16, in half the memory; int8, in a quarter, with a factor "
                            + "for each token and head.")
                    .withDefault("auto"),
            Option.of(GPU_MEMORY_UTILIZATION, OptionType.NUMBER,
                    "Part of the memory that weights and KV blocks of a rank may take together, above 0 and at most 1."),
            integer(NUM_GPU_BLOCKS_OVERRIDE, 1, "Number of KV blocks, exactly."),
            integer(BLOCK_SIZE, 1, "Tokens in a KV block.").withDefault("16"),
            Option.of(ENABLE_PREFIX_CACHING, OptionType.BOOLEAN,
                    "Keep the KV blocks of requests that have ended, for those that begin with the same tokens.")
                    .withDefault("true"),
            Option.of(SPECULATIVE_CONFIG, OptionType.OBJECT,
                    "Guesses the next tokens, so that a step may yield several; outputs stay the same: {\"method\": \"ngram\","
                            + " \"num_speculative_tokens\": 5, \"prompt_lookup_min\": 3, \"prompt_lookup_max\": 5} looks for what followed the"
                            + " last tokens before; mtp asks the model's own layer for it."),
            text(SPECULATIVE_ALGORITHM,
                    "SGLang's way to ask for speculative decoding: NGRAM, or NEXTN for the model's own layer.")
                    .withChoices("NGRAM", "NEXTN"),
            integer(SPECULATIVE_NUM_STEPS, 1, "With speculative-algorithm: how many tokens are guessed in a step."),
            integer(SPECULATIVE_NUM_DRAFT_TOKENS, 2,
                    "With speculative-algorithm: how many tokens are guessed in a step, and one more."),
            integer(SPECULATIVE_EAGLE_TOPK, 1, "With speculative-algorithm: how many guesses there are for each place; only 1."),
            text(QUANTIZATION,
                    "Converts weights of floats to blocks when they are loaded; or names how the model is quantised.")
                    .withChoices("q8_0", "q4_0", "q4_1", "q5_0", "q5_1", "iq4_nl", "mxfp4", "gptq", "awq", "compressed-tensors",
                            "fp8")
                    .withAliases("-q"),
            text(WEIGHT_CACHE,
                    "off, or auto or a folder: weights are kept there as they are computed with, so that the next start maps them; "
                            + "takes as much of the disk.")
                    .withDefault("off").asLocal(),
            text(ACTIVATION_DTYPE, "Precision of activations.").withDefault("auto").withChoices("auto", "f32"),
            text(NUMERICS, "exact: bits do not depend on the layout; fast: they may.").withDefault("fast").withChoices("fast",
                    "exact"),
            integer(THREADS, 1, "Computing threads of each rank; by default the processors divided among the node's ranks.")
                    .asLocal(),
            text(PARALLEL,
                    "auto: spread the model as maniple plan recommends for the ranks that there are; manual: as the sizes say.")
                    .withDefault("manual").withChoices("manual", "auto").asLocal(),
            Option.of(MEMORY_LIMIT, OptionType.BYTES,
                    "Memory of each rank that planning counts with; by default this machine's, divided among its ranks.")
                    .withMinimum(1)
                    .withAliases("--memory").asLocal(),
            integer(NNODES, 1, "Nodes (machines, pods) of the unit; 1 if neither this nor the platform says otherwise.")
                    .withAliases("--nodes"),
            text(NODE_RANK, "Number of this node from 0, or auto to ask the platform.").withDefault("auto").asLocal(),
            Option.of(RANKS_PER_NODE, OptionType.INTEGERS,
                    "Ranks on every node, or one number for each node; by default all alike.").withMinimum(1)
                    .withAliases("--devices-per-node"),
            integer(LOCAL_RANK, 0, "Which rank of its node this process is; launch gives it to the ranks that it starts.")
                    .asLocal(),
            text(DIST_INIT_ADDR, "HOST:PORT of node 0, where the ranks meet.").asLocal(),
            text(MASTER_ADDR, "Host of node 0; the same as the first half of dist-init-addr.").asLocal(),
            integer(MASTER_PORT, 1, "Port of node 0 between ranks; the same as the second half of dist-init-addr.").asLocal(),
            text(LAUNCHER_ADDR, "HOST:PORT where the ranks of one node meet; launch gives it to the ranks that it starts.")
                    .asLocal(),
            text(UNIT_NAME, "Name of the unit; ranks of another one are refused.").withDefault("maniple"),
            text(UNIT_SECRET, "Secret that the ranks prove to each other, at least 16 bytes; better in a file or a variable.")
                    .asLocal(),
            text(UNIT_SECRET_FILE, "File whose content is the unit's secret.").asLocal(),
            text(COMM_IFNAME, "Network interface between nodes: eth1, a prefix, =eth1 exactly, or ^docker,lo for all others.")
                    .asLocal(),
            duration(JOIN_TIMEOUT, "How long ranks wait for each other at the start.").withDefault("60s"),
            duration(STEP_TIMEOUT, "How long one exchange of a step may take before the silent rank is named.")
                    .withDefault("300s"),
            duration(FAULT_LINGER, "How long a unit that has failed still answers health checks.").withDefault("5s"),
            text(MODEL_CHECKSUM, "How ranks compare their copies of the model.").withDefault("sampled").withChoices("sampled",
                    "full"),
            text(LOG_LEVEL, "Least severe messages that are shown.").withDefault("info")
                    .withChoices("debug", "info", "warn", "error").asLocal(),
            Option.of(DISABLE_LOG_STATS, OptionType.BOOLEAN,
                    "Do not log throughput, requests and KV cache usage every 10 s while there is something to do.")
                    .withDefault("false").asLocal(),
            integer(SEED, 0, "Where the seeds of requests that bring none begin; by default they are random."),
            duration(SHUTDOWN_TIMEOUT, "How long running requests may go on when the unit is told to end.").withDefault("30s"),
            text(PROMPT, "A prompt that rank 0 answers on the terminal once the unit is ready.").asLocal(),
            integer(MAX_TOKENS, 1, "Most tokens of the answer to that prompt.").withDefault("256").asLocal(),
            Option.of(EXIT_AFTER_PROMPT, OptionType.BOOLEAN, "End the unit once the prompt is answered, without serving.")
                    .withDefault("false"),
            text(BENCH, "What is measured instead of serving; maniple bench model gives it to the ranks that it starts.")
                    .asLocal(),
            Option.of(STARTUP_REPORT, OptionType.BOOLEAN, "Print how long each part of the start took, once the unit is ready.")
                    .withDefault("false").asLocal(),
            text(CACHE_DIR,
                    "Folder for what the next start need not find out again, such as which native kernels this processor has passed the self-check with; "
                            + "none: keep nothing. By default cache in the installation, if it can be written.")
                    .asLocal(),
            Option.of(STEP_PROFILE, OptionType.BOOLEAN,
                    "With maniple bench model: print how long each kind of kernel takes in a step of rank 0.")
                    .withDefault("false").asLocal(),
            Option.of(HEADLESS, OptionType.BOOLEAN,
                    "Serve nothing on this node; nodes other than the first do only with api-per-group.")
                    .withDefault("false")
                    .asLocal(),
            Option.of(API_PER_GROUP, OptionType.BOOLEAN,
                    "Every group of ranks with sequences of its own serves them itself, on its first rank's node; otherwise rank 0 serves all.")
                    .withDefault("false"));

    private static final Pattern SECRET = Pattern.compile("(.*-)?(secret|password|api-key|token)");

    private KernelOptions() {}

    /** Whether the values of a key must never be shown. */
    static boolean secret(String key) {
        return SECRET.matcher(key).matches();
    }

    private static Option text(String key, String help) {
        return Option.of(key, OptionType.TEXT, help);
    }

    private static Option integer(String key, long minimum, String help) {
        return Option.of(key, OptionType.INTEGER, help).withMinimum(minimum);
    }

    private static Option duration(String key, String help) {
        return Option.of(key, OptionType.DURATION, help);
    }
}
