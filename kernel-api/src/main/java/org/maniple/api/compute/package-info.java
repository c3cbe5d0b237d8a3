/** What computes: back ends that turn the operations of a rank's program into kernels. */
package org.maniple.api.compute;
