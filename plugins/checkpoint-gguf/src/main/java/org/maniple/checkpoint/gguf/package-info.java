/**
 * Models in the GGUF format: one file, or several parts, with weights in block types, the configuration, the tokenizer and the chat template. The names
 * and shapes of tensors are given as those of published checkpoints, so that the same plugins build the models.
 */
package org.maniple.checkpoint.gguf;
