/** The Llama and Mistral families of models. */
package org.maniple.model.llama;
