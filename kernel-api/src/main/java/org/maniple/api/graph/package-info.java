/**
 * What a model computes, without ranks: operations over values whose dimensions carry axes. A model plugin builds a
 * {@link org.maniple.api.graph.ModelGraph}; which axis is split over which ranks is said elsewhere, and the exchange between ranks is
 * derived.
 */
package org.maniple.api.graph;
