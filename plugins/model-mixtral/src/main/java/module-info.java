import org.jspecify.annotations.NullMarked;

/** The Mixtral family of mixtures of experts. */
@NullMarked module org.maniple.model.mixtral {
    requires org.maniple.api;
    requires static org.jspecify;

    provides org.maniple.api.model.ModelArchitecture with org.maniple.model.mixtral.MixtralFamily;
}
