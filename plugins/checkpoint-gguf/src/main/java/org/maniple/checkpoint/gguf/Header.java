package org.maniple.checkpoint.gguf;

import java.util.Map;

/**
 * The checked header of a file.
 *
 * @param values the metadata by key: {@link Long}, {@link Double}, {@link Boolean}, {@link String} or {@link ArrayPlace}
 * @param tensors by name, in the order of the file
 * @param dataStart the first byte that may belong to a tensor
 */
record Header(Map<String, Object> values, Map<String, GgufTensor> tensors, long dataStart) {}
