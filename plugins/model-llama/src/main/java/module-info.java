import org.jspecify.annotations.NullMarked;

/** The Llama and Mistral families of models. */
@NullMarked module org.maniple.model.llama {
    requires org.maniple.api;
    requires static org.jspecify;

    provides org.maniple.api.model.ModelArchitecture with org.maniple.model.llama.LlamaFamily;
}
