/** What one forward pass is about: the tokens of the batch, whose sequences they are, and where their keys and values lie. */
package org.maniple.api.step;
