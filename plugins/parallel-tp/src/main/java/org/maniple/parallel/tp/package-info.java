/** Tensor parallelism: heads, feed-forward and vocabulary over ranks. */
package org.maniple.parallel.tp;
