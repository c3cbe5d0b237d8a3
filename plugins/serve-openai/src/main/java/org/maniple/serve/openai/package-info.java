/** The OpenAI API over HTTP. */
package org.maniple.serve.openai;
