/** The gpt-oss family of mixtures of experts. */
package org.maniple.model.gptoss;
