import org.jspecify.annotations.NullMarked;

/** What plugins implement and the values they exchange. At run time it depends on {@code java.base} alone. */
@NullMarked module org.maniple.api {
    requires static transitive org.jspecify;
}
