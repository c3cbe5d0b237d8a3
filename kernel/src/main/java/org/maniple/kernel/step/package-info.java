/** One forward pass as the ranks exchange it: a preallocated batch, its frame, and the checks that make a frame from outside safe to run. */
package org.maniple.kernel.step;
