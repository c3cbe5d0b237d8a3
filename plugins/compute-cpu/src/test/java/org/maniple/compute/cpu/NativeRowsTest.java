package org.maniple.compute.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.maniple.api.graph.ElementFunction;
import org.maniple.api.graph.ElementFunction.Activation;
import org.maniple.api.tensor.Tensor;
import org.maniple.api.tensor.UnitList;

/** Native operations on rows give the bits of the Java kernels, with the instructions of every variant that this processor has. */
class NativeRowsTest {

    private static List<NativeFunctions> variants() {
        return switch (NativeLibrary.load()) {
            case NativeLibrary.Loaded loaded -> loaded.library().variants().stream()
                    .flatMap(variant -> NativeFunctions.of(loaded.library(), variant).stream()).toList();
            case NativeLibrary.Missing missing -> abort("skipped: " + missing.reason());
        };
    }

    private static CpuSession session(Optional<NativeFunctions> functions) {
        return new CpuSession(new Workers(2, 2), LatentForm.ABSORBED, new VectorProducts(), new Precision(true, false),
                Optional.empty(),
                functions);
    }

    @Test
    void computeTheBitsOfEveryJavaKernel() {
        String expected = EveryKernel.digest();
        assertThat(variants()).isNotEmpty().allSatisfy(
                functions -> assertThat(EveryKernel.digest(Optional.of(functions))).as(functions.variant()).isEqualTo(expected));
    }

    /** Zeros of both signs, infinities and what overflows; lengths with and without an end that does not fill a vector. */
    @ParameterizedTest
    @ValueSource(ints = {1, 15, 16, 33, 100})
    void applyFunctionsToExtremesAsJavaDoes(int count) {
        float[] extremes = {0f, -0f, Float.MIN_VALUE, -1e-30f, 1e30f, -1e30f, 88f, -88f, 103f, Float.POSITIVE_INFINITY,
            Float.NEGATIVE_INFINITY, 7f, -7f, 0.3f};
        Tensor x = Tensors.random(1, 1, count);
        Tensor y = Tensors.random(2, 1, count);
        for (int i = 0; i < count; i++) {
            x.segment().setAtIndex(ValueLayout.JAVA_FLOAT, i, extremes[i % extremes.length]);
            y.segment().setAtIndex(ValueLayout.JAVA_FLOAT, i, extremes[i * 5 % extremes.length]);
        }
        for (ElementFunction function : List.of(new ElementFunction.Add(), new ElementFunction.Scale(-3),
                new ElementFunction.Glu(Activation.SILU), new ElementFunction.Glu(Activation.GELU_TANH),
                new ElementFunction.Glu(Activation.RELU), new ElementFunction.Activate(Activation.SILU),
                new ElementFunction.Activate(Activation.RELU), new ElementFunction.Activate(Activation.GELU_TANH),
                new ElementFunction.ClampedGlu(1.702f, 7), new ElementFunction.Clamp(5))) {
            float[] expected = apply(Optional.empty(), function, x, y);
            for (NativeFunctions functions : variants()) {
                assertThat(apply(Optional.of(functions), function, x, y)).as("%s of %s", functions.variant(), function)
                        .isEqualTo(expected);
            }
        }
    }

    private static float[] apply(Optional<NativeFunctions> functions, ElementFunction function, Tensor x, Tensor y) {
        Tensor out = Tensors.zeros(1, x.width());
        try (var session = session(functions)) {
            Calls.compile(session, function.operands() > 1
                    ? Calls.elementwise(function, x, y, out)
                    : Calls.elementwise(function, x, out)).run(new BatchStep(1).span(0, 1));
        }
        return Tensors.all(out);
    }

    /** Vocabularies in several ranges, with equal logits, fewer than there are candidates, or none. */
    @ParameterizedTest
    @ValueSource(ints = {0, 3, 50, 64, 1000, 4099})
    void findTheCandidatesThatJavaFinds(int count) {
        Tensor logits = Tensors.random(1, 2, count);
        for (int i = 0; i < count; i += 3) {
            logits.segment().setAtIndex(ValueLayout.JAVA_FLOAT, i, 0.75f);
        }
        UnitList own = count < 8 ? UnitList.range(0, count) : UnitList.range(5, count).map(id -> id < count / 2 ? id : id + 7);
        Tensor some = Tensor.of(logits.dtype(), new int[] {2, own.size()}, logits.segment());
        float[] expected = candidates(Optional.empty(), some, own, count + 7);
        for (NativeFunctions functions : variants()) {
            assertThat(candidates(Optional.of(functions), some, own, count + 7)).as(functions.variant()).isEqualTo(expected);
        }
    }

    private static float[] candidates(Optional<NativeFunctions> functions, Tensor logits, UnitList own, int vocabulary) {
        Tensor out = Tensors.zeros(2, 42);
        try (var session = session(functions)) {
            Calls.compile(session, Calls.topK(20, logits, out, vocabulary, own)).run(new BatchStep(1).span(0, 2).select(0, 1));
        }
        return Tensors.all(out);
    }
}
