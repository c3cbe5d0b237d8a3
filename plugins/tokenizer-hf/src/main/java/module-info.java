import org.jspecify.annotations.NullMarked;

/** Tokenizers in the tokenizer.json format, with their chat templates. */
@NullMarked module org.maniple.tokenizer.hf {
    requires org.maniple.api;
    requires static org.jspecify;
    requires tools.jackson.databind;

    provides org.maniple.api.text.Tokenizer with org.maniple.tokenizer.hf.HfTokenizerProvider;
}
