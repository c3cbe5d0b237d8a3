/**
 * From a graph without ranks to a program for each rank: where parameters and states lie, how every activation is placed, and which
 * exchange follows from the difference. Names no model and no parallelism.
 */
package org.maniple.kernel.program;
