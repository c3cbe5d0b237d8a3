/** The Qwen2 and Qwen3 families of models, dense and with experts. */
package org.maniple.model.qwen;
