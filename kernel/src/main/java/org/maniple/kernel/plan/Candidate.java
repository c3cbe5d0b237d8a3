package org.maniple.kernel.plan;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.maniple.api.mesh.Mesh;

/**
 * A way of spreading a model.
 *
 * @param chosen the values of keys that the user has left open
 * @param mesh the ranks
 * @param words the values that are not the default, for people
 * @param figures what can be said about it; empty if it cannot even be compiled
 * @param broken rules that it breaks, each with what to do; it is possible only without any
 * @param remarks what is worth knowing
 */
public record Candidate(Map<String, String> chosen, Mesh mesh, String words, Optional<Figures> figures, List<String> broken,
        List<String> remarks) {

    /** Copies the collections. */
    public Candidate {
        chosen = Map.copyOf(chosen);
        broken = List.copyOf(broken);
        remarks = List.copyOf(remarks);
    }

    /**
     * Whether it breaks no rule.
     *
     * @return whether it can be launched
     */
    public boolean possible() {
        return broken.isEmpty();
    }

    /**
     * The dimensions of the mesh with several ranks, and what else was chosen.
     *
     * @return for example {@code pp 2 × tp 8}
     */
    public String layout() {
        String sizes = IntStream.range(0, mesh.dimensions().size()).filter(i -> mesh.sizes().get(i) > 1)
                .mapToObj(i -> mesh.dimensions().get(i) + " " + mesh.sizes().get(i)).collect(Collectors.joining(" × "));
        return (sizes.isEmpty() ? "1 rank" : sizes) + words;
    }
}
