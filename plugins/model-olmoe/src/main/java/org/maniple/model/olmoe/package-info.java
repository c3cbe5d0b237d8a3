/** The OLMoE family of mixtures of experts. */
package org.maniple.model.olmoe;
