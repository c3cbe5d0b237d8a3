/** Kernel and plugins together: every oracle checkpoint on every layout, first with virtual ranks in one process. */
package org.maniple.it;
