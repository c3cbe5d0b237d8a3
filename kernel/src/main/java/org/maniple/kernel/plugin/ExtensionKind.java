package org.maniple.kernel.plugin;

import java.util.List;
import org.maniple.api.Extension;
import org.maniple.api.checkpoint.CheckpointFormat;
import org.maniple.api.collective.AllToAll;
import org.maniple.api.collective.Collectives;
import org.maniple.api.compute.ComputeBackend;
import org.maniple.api.engine.SchedulingPolicy;
import org.maniple.api.frontend.Frontend;
import org.maniple.api.mesh.Parallelism;
import org.maniple.api.model.ModelArchitecture;
import org.maniple.api.text.Tokenizer;
import org.maniple.api.transport.Transport;

/**
 * An extension point.
 *
 * @param type its interface
 * @param word what it is called in messages; where a configuration key chooses among the extensions of the kind, that key
 * @param <T> its interface
 */
public record ExtensionKind<T extends Extension>(Class<T> type, String word) {

    /** Ways for ranks to reach each other. */
    public static final ExtensionKind<Transport> TRANSPORT = new ExtensionKind<>(Transport.class, "transport");
    /** Algorithms for groups of ranks. */
    public static final ExtensionKind<Collectives> COLLECTIVES = new ExtensionKind<>(Collectives.class, "collectives");
    /** Ways to bring tokens to their experts and back. */
    public static final ExtensionKind<AllToAll> ALL_TO_ALL = new ExtensionKind<>(AllToAll.class, "all2all-backend");
    /** Ways of spreading a model over ranks. */
    public static final ExtensionKind<Parallelism> PARALLELISM = new ExtensionKind<>(Parallelism.class, "parallelism");
    /** Devices that compute. */
    public static final ExtensionKind<ComputeBackend> COMPUTE = new ExtensionKind<>(ComputeBackend.class, "compute");
    /** Families of models. */
    public static final ExtensionKind<ModelArchitecture> MODEL = new ExtensionKind<>(ModelArchitecture.class,
            "model-architecture");
    /** Formats of stored models. */
    public static final ExtensionKind<CheckpointFormat> CHECKPOINT = new ExtensionKind<>(CheckpointFormat.class,
            "checkpoint-format");
    /** Formats of tokenizers. */
    public static final ExtensionKind<Tokenizer> TOKENIZER = new ExtensionKind<>(Tokenizer.class, "tokenizer");
    /** Orders of requests. */
    public static final ExtensionKind<SchedulingPolicy> SCHEDULING = new ExtensionKind<>(SchedulingPolicy.class,
            "scheduling-policy");
    /** Ways for clients to reach a unit. */
    public static final ExtensionKind<Frontend> FRONTEND = new ExtensionKind<>(Frontend.class, "frontend");

    /** All of them, in the order in which they are listed. */
    public static final List<ExtensionKind<?>> ALL = List.of(TRANSPORT, COLLECTIVES, ALL_TO_ALL, PARALLELISM, COMPUTE, MODEL,
            CHECKPOINT,
            TOKENIZER, SCHEDULING, FRONTEND);

    @Override
    public String toString() {
        return word;
    }
}
