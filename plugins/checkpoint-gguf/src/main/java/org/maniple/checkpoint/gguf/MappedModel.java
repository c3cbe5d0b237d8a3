package org.maniple.checkpoint.gguf;

import java.util.Map;

/**
 * A model as those who publish checkpoints would describe it.
 *
 * @param config what its {@code config.json} says: texts, numbers, truth values, lists and maps
 * @param parts where its tensors are, by their names
 */
record MappedModel(Map<String, Object> config, Map<String, TensorPart> parts) {}
