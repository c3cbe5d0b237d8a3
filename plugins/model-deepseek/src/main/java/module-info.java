import org.jspecify.annotations.NullMarked;

/** The DeepSeek-V2 and V3 families of models, and Kimi-K2. */
@NullMarked module org.maniple.model.deepseek {
    requires org.maniple.api;
    requires static org.jspecify;

    provides org.maniple.api.model.ModelArchitecture with org.maniple.model.deepseek.DeepseekFamily;
}
