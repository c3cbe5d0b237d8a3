import org.jspecify.annotations.NullMarked;

/** Reads models in the GGUF format, with their configuration and tokenizer. */
@NullMarked module org.maniple.checkpoint.gguf {
    requires org.maniple.api;
    requires static org.jspecify;

    provides org.maniple.api.checkpoint.CheckpointFormat with org.maniple.checkpoint.gguf.GgufFormat;
}
