/** Tensors in memory that a rank owns, and the lists of units that say which piece of a whole a rank has. */
package org.maniple.api.tensor;
