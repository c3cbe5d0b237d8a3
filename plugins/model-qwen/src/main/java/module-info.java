import org.jspecify.annotations.NullMarked;

/** The Qwen2 and Qwen3 families of models, dense and with experts. */
@NullMarked module org.maniple.model.qwen {
    requires org.maniple.api;
    requires static org.jspecify;

    provides org.maniple.api.model.ModelArchitecture with org.maniple.model.qwen.QwenFamily;
}
