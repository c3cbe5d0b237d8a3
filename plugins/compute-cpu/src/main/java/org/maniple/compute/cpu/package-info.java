/** Computes on the CPU with the Vector API. */
package org.maniple.compute.cpu;
