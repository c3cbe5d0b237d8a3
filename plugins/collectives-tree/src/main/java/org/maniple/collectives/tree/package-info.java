/** Collective operations on top of any transport, summed along one balanced tree. */
package org.maniple.collectives.tree;
