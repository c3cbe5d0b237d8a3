import org.jspecify.annotations.NullMarked;

/** The Gemma 3 family of models. */
@NullMarked module org.maniple.model.gemma {
    requires org.maniple.api;
    requires static org.jspecify;

    provides org.maniple.api.model.ModelArchitecture with org.maniple.model.gemma.GemmaFamily;
}
