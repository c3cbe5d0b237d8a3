package org.maniple.tokenizer.hf;

import java.util.function.Consumer;

/** A step that cuts a piece of text into smaller ones; the last step's pieces are the words the model encodes one by one. */
interface PreTokenizer {
    void split(Piece piece, Consumer<Piece> parts);

    default PreTokenizer then(PreTokenizer next) {
        return (piece, parts) -> split(piece, part -> next.split(part, parts));
    }
}
