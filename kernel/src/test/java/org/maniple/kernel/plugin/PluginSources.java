package org.maniple.kernel.plugin;

/** Sources of small plugins that provide a tokenizer, the extension point with the fewest types. */
public final class PluginSources {

    private PluginSources() {}

    /** A module that provides {@code <module>.Provider}. */
    public static String module(String module, String... more) {
        return "module " + module + " { requires org.maniple.api; provides org.maniple.api.text.Tokenizer with " + module
                + ".Provider; "
                + String.join(" ", more) + " }";
    }

    /** A provider named as given; {@code members} goes into its body. */
    public static String provider(String inPackage, String name, String... members) {
        return """
                package %s;
                import java.nio.file.Path;
                import org.maniple.api.PluginContext;
                import org.maniple.api.text.TextCodec;
                public final class Provider implements org.maniple.api.text.Tokenizer {
                    %s
                    @Override public String name() { return "%s"; }
                    @Override public boolean accepts(Path model) { return false; }
                    @Override public TextCodec load(Path model, PluginContext context) { throw new UnsupportedOperationException(); }
                }
                """
                .formatted(inPackage, String.join("\n", members), name);
    }
}
