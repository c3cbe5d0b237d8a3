import org.jspecify.annotations.NullMarked;

/** The gpt-oss family of mixtures of experts. */
@NullMarked module org.maniple.model.gptoss {
    requires org.maniple.api;
    requires static org.jspecify;

    provides org.maniple.api.model.ModelArchitecture with org.maniple.model.gptoss.GptOssFamily;
}
