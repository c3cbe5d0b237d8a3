/** Writes models of real shapes with random weights, where published weights are not at hand. */
@NullMarked
package org.maniple.bench.model;

import org.jspecify.annotations.NullMarked;
