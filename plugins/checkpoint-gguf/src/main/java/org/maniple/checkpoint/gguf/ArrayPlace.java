package org.maniple.checkpoint.gguf;

/**
 * An array of the metadata, which stays in the file until somebody wants it.
 *
 * @param type of its elements: numbers, truth values or texts
 * @param count how many
 * @param position where the first one is
 */
record ArrayPlace(ValueType type, long count, long position) {}
