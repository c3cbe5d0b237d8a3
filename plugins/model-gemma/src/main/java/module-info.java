import org.jspecify.annotations.NullMarked;

/** The Gemma 3 family of models. */
@NullMarked module org.maniple.model.gemma {
    requires org.maniple.api;
    requires static org.jspecify;
}
