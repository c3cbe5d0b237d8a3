package org.maniple.checkpoint.gguf;

import java.util.ArrayList;
import java.util.List;
import org.maniple.api.checkpoint.StoredTensor;

/**
 * A tensor as models know it: one of the file under another name, or one of several that the file has stacked in one.
 *
 * @param placed the tensor of the file
 * @param offset where its bytes begin in that
 * @param bytes how many
 * @param shape its own shape
 */
record TensorPart(GgufModel.Placed placed, long offset, long bytes, List<Long> shape) {

    /** All of a tensor. */
    static TensorPart whole(GgufModel.Placed placed) {
        return new TensorPart(placed, 0, placed.tensor().bytes(), placed.tensor().shape());
    }

    /** All of a tensor that the file has without a first dimension of extent 1. */
    static TensorPart row(GgufModel.Placed placed) {
        var shape = new ArrayList<>(placed.tensor().shape());
        if (shape.size() == 1) {
            shape.addFirst(1L);
        }
        return new TensorPart(placed, 0, placed.tensor().bytes(), shape);
    }

    /** One of those that are stacked along the first dimension. */
    static TensorPart of(GgufModel.Placed placed, long index) {
        List<Long> shape = placed.tensor().shape();
        long bytes = placed.tensor().bytes() / shape.getFirst();
        return new TensorPart(placed, index * bytes, bytes, shape.subList(1, shape.size()));
    }

    StoredTensor stored(String name) {
        return new StoredTensor(name, placed.tensor().dtype(), shape, placed.file().path().toString(), bytes);
    }
}
