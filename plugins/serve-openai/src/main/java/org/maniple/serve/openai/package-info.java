/**
 * The OpenAI API over HTTP, in the form in which vLLM serves it.
 *
 * <p>One connection is a {@link org.maniple.serve.openai.Connection}, one request on it an {@link org.maniple.serve.openai.Exchange}.
 * The {@link org.maniple.serve.openai.Router} decides who may ask what; requests that need the tokenizer or the chat template leave
 * the event loop there. A {@link org.maniple.serve.openai.Run} is a request that the engine works on; its events come back to the
 * event loop of its connection, so that everything about a reply happens on one thread.
 */
package org.maniple.serve.openai;
