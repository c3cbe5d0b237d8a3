/** The life of a unit: ranks join, reach phases together, watch over each other, and end together; the processes of a node; what start-up prints. */
package org.maniple.kernel.unit;
