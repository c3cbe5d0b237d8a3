package org.maniple.kernel.config;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.maniple.api.mesh.Mesh;
import org.maniple.api.mesh.MeshDimension;
import org.maniple.api.mesh.Parallelism;

/** Composes the mesh from the dimensions that the enabled parallelisms add. */
final class MeshComposer {

    private static final int MOST_RANKS = 65_536;

    private record Sized(MeshDimension dimension, int size) {}

    private MeshComposer() {}

    /** Empty after a problem. */
    static Optional<Mesh> compose(List<Parallelism> parallelisms, EffectiveSettings settings, Problems problems) {
        var sized = new ArrayList<Sized>();
        var owners = new HashMap<String, String>();
        for (Parallelism parallelism : parallelisms) {
            for (MeshDimension dimension : parallelism.dimensions()) {
                String other = owners.put(dimension.name(), parallelism.name());
                if (other != null) {
                    problems.add("parallelism [" + parallelism.name() + "]", "it adds mesh dimension [" + dimension.name()
                            + "], which parallelism [" + other + "] adds too; disable the plugin of one of them");
                    return Optional.empty();
                }
                int size = parallelism.size(dimension, settings);
                if (size < 1) {
                    problems.add("parallelism [" + parallelism.name() + "]",
                            "it gives mesh dimension [" + dimension.name() + "] the size [" + size
                                    + "]; a size must be at least 1");
                    return Optional.empty();
                }
                sized.add(new Sized(dimension, size));
            }
            parallelism.problems(settings).forEach(problem -> problems.add(
                    settings.declared(problem.key()) && settings.given(problem.key()) ? settings.source(problem.key()) : "",
                    problem.key(),
                    problem.message()));
        }
        sized.sort(
                Comparator.comparingInt((Sized one) -> one.dimension().nesting()).thenComparing(one -> one.dimension().name()));
        long ranks = 1;
        for (Sized one : sized) {
            ranks = Math.min(Long.MAX_VALUE / 65_536 / 65_536, ranks) * one.size();
        }
        if (ranks > MOST_RANKS) {
            problems.add("mesh", sized.stream().map(one -> one.dimension() + " " + one.size()).collect(Collectors.joining(" × "))
                    + " has more than " + MOST_RANKS + " ranks; make one of the sizes smaller");
            return Optional.empty();
        }
        return Optional.of(new Mesh(sized.stream().map(Sized::dimension).toList(), sized.stream().map(Sized::size).toList()));
    }

    /** For messages: {@code the mesh pp 2 × tp 2 has 4 ranks}. */
    static String describe(Mesh mesh) {
        if (mesh.dimensions().isEmpty()) {
            return "the mesh without parallelism has 1 rank";
        }
        return "the mesh " + factors(mesh) + " has " + mesh.ranks() + (mesh.ranks() == 1 ? " rank" : " ranks");
    }

    /** For messages: {@code pp 2 × tp 2}. */
    static String factors(Mesh mesh) {
        return mesh.dimensions().isEmpty()
                ? "a mesh without parallelism"
                : IntStream.range(0, mesh.dimensions().size())
                        .mapToObj(i -> mesh.dimensions().get(i) + " " + mesh.sizes().get(i))
                        .collect(Collectors.joining(" × "));
    }
}
