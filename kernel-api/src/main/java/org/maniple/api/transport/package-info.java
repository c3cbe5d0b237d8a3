/** How ranks reach each other: control links for joining, heartbeats and aborts, and a wire for the data of steps. */
package org.maniple.api.transport;
