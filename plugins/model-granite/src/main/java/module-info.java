import org.jspecify.annotations.NullMarked;

/** The Granite family of models, dense and with experts. */
@NullMarked module org.maniple.model.granite {
    requires org.maniple.api;
    requires static org.jspecify;

    provides org.maniple.api.model.ModelArchitecture with org.maniple.model.granite.GraniteFamily;
}
