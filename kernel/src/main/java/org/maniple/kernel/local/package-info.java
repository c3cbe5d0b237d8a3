/** The transport between ranks of one process. */
package org.maniple.kernel.local;
