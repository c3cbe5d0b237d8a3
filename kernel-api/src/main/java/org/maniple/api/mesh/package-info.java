/** The mesh of ranks, and how a parallelism says which axis is split over which of its dimensions. No model is in it. */
package org.maniple.api.mesh;
