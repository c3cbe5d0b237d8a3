package org.maniple.bench.model;

import java.util.Arrays;
import java.util.List;

/** Which type each tensor of a file gets: what {@code llama-quantize} writes for a type of the same name. */
enum Mixture {
    F32(0, StoredType.F32), F16(1, StoredType.F16), BF16(32, StoredType.BF16), Q8_0(7, StoredType.Q8_0),
    Q4_0(2, StoredType.Q4_0), Q4_1(3, StoredType.Q4_1), Q5_0(8, StoredType.Q5_0), Q5_1(9, StoredType.Q5_1),
    Q4_K_M(15, StoredType.Q4_K);

    private final int fileType;
    private final StoredType most;

    Mixture(int fileType, StoredType most) {
        this.fileType = fileType;
        this.most = most;
    }

    static List<String> names() {
        return Arrays.stream(values()).map(Enum::name).toList();
    }

    /** What {@code general.file_type} says. */
    int fileType() {
        return fileType;
    }

    /** What most matrices have. */
    StoredType most() {
        return most;
    }

    /** The type of one tensor of a model with so many layers. */
    StoredType of(Weight weight, int layers) {
        if (weight.role().plain()) {
            return StoredType.F32;
        }
        return fitting(wanted(weight, layers), weight.columns());
    }

    private StoredType wanted(Weight weight, int layers) {
        return switch (weight.role()) {
            // The embedding is also the output matrix, which matters most.
            case EMBEDDING -> most.integer() && most != StoredType.Q8_0 ? StoredType.Q6_K : most;
            case VALUES, DOWN -> this == Q4_K_M && important(weight.layer(), layers) ? StoredType.Q6_K : most;
            default -> most;
        };
    }

    /** The first and last eighth of the layers, and every third of the others. */
    private static boolean important(int layer, int layers) {
        return layer < layers / 8 || layer >= 7 * layers / 8 || (layer - layers / 8) % 3 == 2;
    }

    /** Rows that are not of whole super-blocks get a type with small blocks. */
    private static StoredType fitting(StoredType type, int columns) {
        if (columns % type.elements() == 0) {
            return type;
        }
        return type == StoredType.Q6_K ? StoredType.Q8_0 : StoredType.Q5_0;
    }
}
