/** Links between ranks over TCP. */
package org.maniple.transport.tcp;
