/** The Gemma 3 family of models. */
package org.maniple.model.gemma;
