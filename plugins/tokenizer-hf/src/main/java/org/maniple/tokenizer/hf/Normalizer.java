package org.maniple.tokenizer.hf;

/** A step that rewrites the text before it is cut into words. */
interface Normalizer {
    String normalize(String text);

    default Normalizer then(Normalizer next) {
        return text -> next.normalize(normalize(text));
    }
}
