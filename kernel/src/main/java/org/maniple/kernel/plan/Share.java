package org.maniple.kernel.plan;

import org.maniple.kernel.load.WeightSizes;

/**
 * What one rank would hold.
 *
 * @param rank its number
 * @param weights its weights
 * @param kvBytesPerToken its part of the KV cache of one token of the sequences that live with it
 */
public record Share(int rank, WeightSizes.Size weights, long kvBytesPerToken) {}
