/** Tokenizers in the tokenizer.json format, with their chat templates. */
package org.maniple.tokenizer.hf;
