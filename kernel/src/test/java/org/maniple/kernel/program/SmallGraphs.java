package org.maniple.kernel.program;

import java.util.List;
import java.util.function.Function;
import org.maniple.api.graph.Axes;
import org.maniple.api.graph.Axis;
import org.maniple.api.graph.Dim;
import org.maniple.api.graph.GraphBuilder;
import org.maniple.api.graph.ModelGraph;
import org.maniple.api.graph.Value;
import org.maniple.api.mesh.AxisRule;
import org.maniple.api.mesh.Mesh;
import org.maniple.api.mesh.MeshDimension;
import org.maniple.api.mesh.Splitter;
import org.maniple.api.tensor.UnitList;

/** Graphs of a few operations, and rules and meshes for them. */
final class SmallGraphs {

    static final MeshDimension PP = new MeshDimension("pp", 200);
    static final MeshDimension TP = new MeshDimension("tp", 300);
    static final Dim HIDDEN = Axes.HIDDEN.of(8);
    static final Dim FFN = Axes.FFN.of(12);
    static final Dim VOCAB = Axes.VOCAB.of(10);
    static final Dim HEADS = Axes.HEADS.of(8);
    static final Dim KV_HEADS = Axes.KV_HEADS.of(4);
    static final Dim HEAD = new Axis("hd").of(2);

    private SmallGraphs() {}

    /** Embedding, one function of the residual stream per block, and a head. */
    static ModelGraph graph(int layers, Function<GraphBuilder, Function<Value, Value>> block) {
        var builder = new GraphBuilder("small", layers).derive(Axes.KV_HEADS, Axes.HEADS, 2);
        Value x = builder.embed("hidden.0", builder.parameter("embedding", VOCAB, HIDDEN));
        Function<Value, Value> body = block.apply(builder);
        for (int layer = 0; layer < layers; layer++) {
            builder.layer(layer);
            x = body.apply(x);
        }
        builder.layer(layers);
        Value normed = builder.rmsNorm("hidden.norm", x, builder.parameter("norm", HIDDEN), 1e-6, 0);
        return builder.head(normed, builder.parameter("head", VOCAB, HIDDEN), 64);
    }

    /** Splits as evenly as possible, the first parts larger. */
    static final Splitter EVEN = request -> {
        var parts = new java.util.ArrayList<UnitList>();
        int from = 0;
        for (int i = 0; i < request.parts(); i++) {
            int to = from + request.units() / request.parts() + (i < request.units() % request.parts() ? 1 : 0);
            parts.add(UnitList.range(from, to));
            from = to;
        }
        return parts;
    };

    /** Parts of these sizes. */
    static Splitter sizes(int... sizes) {
        return request -> {
            var parts = new java.util.ArrayList<UnitList>();
            int from = 0;
            for (int size : sizes) {
                parts.add(UnitList.range(from, from + size));
                from += size;
            }
            return parts;
        };
    }

    static AxisRule rule(Axis axis, MeshDimension dimension) {
        return new AxisRule(axis, List.of(dimension), EVEN);
    }

    static Mesh mesh(MeshDimension dimension, int size) {
        return new Mesh(List.of(dimension), List.of(size));
    }

    /** The lines of a block, with single spaces. */
    static List<String> lines(MeshProgram program, int layer) {
        return new ProgramListing(program).layer(layer).stream().map(line -> line.replaceAll(" +", " ")).toList();
    }
}
