/** The GLM-4.5 family of mixtures of experts. */
package org.maniple.model.glm;
