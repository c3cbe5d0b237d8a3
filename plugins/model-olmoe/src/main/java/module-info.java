import org.jspecify.annotations.NullMarked;

/** The OLMoE family of mixtures of experts. */
@NullMarked module org.maniple.model.olmoe {
    requires org.maniple.api;
    requires static org.jspecify;

    provides org.maniple.api.model.ModelArchitecture with org.maniple.model.olmoe.OlmoeFamily;
}
