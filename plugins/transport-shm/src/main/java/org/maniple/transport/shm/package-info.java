/** Links between ranks on one host through shared memory. */
package org.maniple.transport.shm;
