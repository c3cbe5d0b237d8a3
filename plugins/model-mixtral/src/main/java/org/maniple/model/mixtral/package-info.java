/** The Mixtral family of mixtures of experts. */
package org.maniple.model.mixtral;
