/** The Qwen2 and Qwen3 families of dense models. */
package org.maniple.model.qwen;
