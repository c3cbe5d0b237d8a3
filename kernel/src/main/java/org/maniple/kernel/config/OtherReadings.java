package org.maniple.kernel.config;

import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.maniple.api.mesh.Mesh;
import org.maniple.api.mesh.Parallelism;

/** What the parallelisms say about sizes that were probably meant otherwise. */
record OtherReadings(List<Parallelism> parallelisms, EffectiveSettings settings) {

    /** For example {@code did you mean --enable-dp-attention?}. */
    Optional<String> of(Mesh mesh) {
        return parallelisms.stream().flatMap(parallelism -> parallelism.otherReading(mesh, settings).stream()).findFirst();
    }

    /** Where a number of ranks is there: {@code dp=16 x tp=16 needs 256 ranks, 16 present; did you mean --enable-dp-attention?}. */
    Optional<String> of(Mesh mesh, long present) {
        String sizes = IntStream.range(0, mesh.dimensions().size()).filter(i -> mesh.sizes().get(i) > 1)
                .mapToObj(i -> mesh.dimensions().get(i) + "=" + mesh.sizes().get(i)).collect(Collectors.joining(" x "));
        return of(mesh).map(reading -> sizes + " needs " + mesh.ranks() + " ranks, " + present + " present; " + reading);
    }
}
