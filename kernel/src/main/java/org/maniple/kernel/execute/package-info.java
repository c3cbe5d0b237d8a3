/** Runs a rank's program: binds it to memory, lets a back end compile what it can, exchanges what seams say, and computes the rest itself. */
package org.maniple.kernel.execute;
