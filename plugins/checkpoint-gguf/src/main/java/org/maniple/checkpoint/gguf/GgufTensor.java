package org.maniple.checkpoint.gguf;

import java.util.List;
import org.maniple.api.tensor.DType;

/**
 * A tensor as a file describes it. Its bytes were checked to be within the file.
 *
 * @param name its name there
 * @param dtype type of its elements
 * @param shape extents, outermost first (in the file they are the other way round)
 * @param position its first byte in the file
 * @param bytes its size
 */
record GgufTensor(String name, DType dtype, List<Long> shape, long position, long bytes) {}
