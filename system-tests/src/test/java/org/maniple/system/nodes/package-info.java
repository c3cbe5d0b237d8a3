/** Units over several machines: network namespaces that are joined by one cable and see each other through a firewall. */
package org.maniple.system.nodes;
