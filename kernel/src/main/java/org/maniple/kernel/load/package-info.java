/** Weights: which bytes of a checkpoint a rank needs, and how they come into its memory. */
package org.maniple.kernel.load;
