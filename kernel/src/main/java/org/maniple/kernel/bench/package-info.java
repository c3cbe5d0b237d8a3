/** Measures: a model on a unit of ranks, a server over HTTP, the kernels of a back end. */
@NullMarked
package org.maniple.kernel.bench;

import org.jspecify.annotations.NullMarked;
