/** Rank 0's engine: takes requests, plans steps, chooses tokens and turns them into text. */
package org.maniple.kernel.engine;
