import org.jspecify.annotations.NullMarked;

/** A model architecture from outside of Maniple. */
@NullMarked module org.example.hello {
    requires org.maniple.api;
    requires static org.jspecify;

    provides org.maniple.api.model.ModelArchitecture with org.example.hello.HelloArchitecture;
}
