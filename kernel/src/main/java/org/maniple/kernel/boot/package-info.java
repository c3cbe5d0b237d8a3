/** Composes the parts into a running rank, and ranks into a unit: from a configuration to a port that answers. */
package org.maniple.kernel.boot;
