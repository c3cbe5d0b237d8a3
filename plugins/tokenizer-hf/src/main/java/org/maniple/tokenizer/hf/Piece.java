package org.maniple.tokenizer.hf;

/** A part of the text on its way through the pre-tokenizers; {@code first} where it begins at the very start of the input. */
record Piece(String text, boolean first) {}
