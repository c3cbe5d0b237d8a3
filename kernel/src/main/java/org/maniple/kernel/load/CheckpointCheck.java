package org.maniple.kernel.load;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.maniple.api.checkpoint.Checkpoint;
import org.maniple.api.checkpoint.CheckpointException;
import org.maniple.api.checkpoint.StoredTensor;
import org.maniple.api.graph.Dim;
import org.maniple.api.graph.Parameter;
import org.maniple.api.graph.TensorView;
import org.maniple.api.tensor.DType;

/** Looks for every tensor before any is read, so that all that is wrong is said at once. */
final class CheckpointCheck {

    private static final int MAX_PROBLEMS = 20;
    private static final DType[] COMPUTED = Stream.of(DType.values()).filter(type -> type.blocked()
            || EnumSet.of(DType.F32, DType.F16, DType.BF16, DType.F8_E4M3).contains(type)).toArray(DType[]::new);

    private final WeightSource source;
    private final Quantization quantization;
    private final Set<String> problems = new LinkedHashSet<>();
    private final Set<String> broken = new HashSet<>();

    CheckpointCheck(Checkpoint checkpoint, Quantization quantization) {
        this.source = new WeightSource(checkpoint, quantization);
        this.quantization = quantization;
    }

    /** Throws, if anything about the weights does not fit. */
    void check(List<Parameter> parameters) {
        for (Parameter parameter : parameters) {
            switch (parameter.source()) {
                case TensorView.Mxfp4 view -> view.tensors().forEach((name, shape) -> {
                    if (shaped(name, shape, "")) {
                        type(name, "MXFP4 has U8", DType.U8);
                    }
                });
                case TensorView.Stored view -> elements(parameter, view);
                case TensorView.Stacked view -> {
                    if (counted(view)) {
                        elements(parameter, view);
                    }
                }
            }
        }
        if (!problems.isEmpty()) {
            int more = problems.size() - MAX_PROBLEMS;
            throw new CheckpointException("the checkpoint does not fit its config.json:\n  "
                    + String.join("\n  ", new ArrayList<>(problems).subList(0, Math.min(MAX_PROBLEMS, problems.size())))
                    + (more > 0 ? "\n  and " + more + " more" : ""));
        }
    }

    /** Whether all units are there; a checkpoint that ends before config.json says is one problem, and not one for each tensor. */
    private boolean counted(TensorView.Stacked view) {
        int last = view.units();
        while (last > 0 && tensor(view.tensor(last - 1)).isEmpty()) {
            last--;
        }
        if (last == 0 || last == view.units()) {
            return true;
        }
        problems.add("tensors " + view.pattern() + ": config.json says that there are " + view.units() + " (" + view.axis()
                + "), the checkpoint has " + last);
        return false;
    }

    private void elements(Parameter parameter, TensorView view) {
        Optional<DType> first = Optional.empty();
        for (var entry : view.tensors().entrySet()) {
            String name = entry.getKey();
            if (!shaped(name, entry.getValue(), "") || !type(name, "F32, F16, BF16, F8_E4M3 and block types can", COMPUTED)) {
                continue;
            }
            StoredTensor tensor = tensor(name).orElseThrow();
            DType expected = first.orElse(tensor.dtype());
            first = Optional.of(expected);
            if (tensor.dtype() != expected) {
                problems.add("tensor " + name + ": type " + tensor.dtype() + " in " + tensor.file()
                        + ", but others of the same weight have " + expected);
            } else if (tensor.dtype() == DType.F8_E4M3) {
                scaled(parameter, view, name, entry.getValue());
            }
        }
    }

    private void scaled(Parameter parameter, TensorView view, String name, List<Long> shape) {
        if (shape.size() < 2 || ScaleLayout.columns(inner(parameter, view), view.dims()).isEmpty()) {
            problems.add("tensor " + name + ": type F8_E4M3 " + shape + " cannot be used as " + parameter.dims()
                    + "; blocks have factors by stored rows and columns, so those must be in stored order");
            return;
        }
        String scales = name + quantization.factors();
        List<Long> expected = ScaleLayout.shape(shape, quantization);
        // Whether there is an extent of 1 for what all share is a matter of taste.
        boolean alike = tensor(scales).filter(tensor -> without1(tensor.shape()).equals(without1(expected))).isPresent();
        if (alike || shaped(scales, expected, ", the factors of " + quantization.blocks() + " in " + name)) {
            type(scales, "factors have F32, F16 or BF16", DType.F32, DType.F16, DType.BF16);
        }
    }

    private static List<Long> without1(List<Long> shape) {
        return shape.stream().filter(extent -> extent != 1).toList();
    }

    private static List<Dim> inner(Parameter parameter, TensorView view) {
        return view instanceof TensorView.Stacked stacked
                ? parameter.dims().stream().filter(d -> !d.axis().equals(stacked.axis())).toList()
                : parameter.dims();
    }

    /** A tensor's header; empty if it is missing, or stored in tensors that do not fit each other. */
    private Optional<StoredTensor> tensor(String name) {
        try {
            return source.tensor(name);
        } catch (CheckpointException e) {
            broken.add(name);
            problems.add(String.valueOf(e.getMessage()));
            return Optional.empty();
        }
    }

    private boolean shaped(String name, List<Long> shape, String what) {
        Optional<StoredTensor> found = tensor(name);
        if (found.isEmpty() && !broken.contains(name)) {
            problems.add("tensor " + name + ": expected " + shape + what + ", but there is no such tensor"
                    + quantization.integers().map(format -> ", nor is it stored as " + format).orElse(""));
        }
        if (found.isEmpty()) {
            return false;
        }
        StoredTensor tensor = found.get();
        if (!tensor.shape().equals(shape)) {
            problems.add("tensor " + name + ": expected " + shape + what + ", found " + tensor.dtype() + tensor.shape() + " in "
                    + tensor.file());
            return false;
        }
        return true;
    }

    private boolean type(String name, String can, DType... types) {
        StoredTensor tensor = tensor(name).orElseThrow();
        if (!List.of(types).contains(tensor.dtype())) {
            problems.add(
                    "tensor " + name + ": type " + tensor.dtype() + " in " + tensor.file() + " cannot be computed with; " + can);
            return false;
        }
        return true;
    }
}
