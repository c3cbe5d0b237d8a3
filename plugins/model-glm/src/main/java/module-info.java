import org.jspecify.annotations.NullMarked;

/** The GLM-4.5 family of mixtures of experts. */
@NullMarked module org.maniple.model.glm {
    requires org.maniple.api;
    requires static org.jspecify;

    provides org.maniple.api.model.ModelArchitecture with org.maniple.model.glm.GlmFamily;
}
