/** Data parallelism: sequences over groups of ranks, with or without the rest of the layer split over all of them. */
package org.maniple.parallel.dp;
