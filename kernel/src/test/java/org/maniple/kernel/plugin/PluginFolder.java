package org.maniple.kernel.plugin;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.spi.ToolProvider;
import org.maniple.api.ApiVersion;

/** Builds the folder of one plugin: sources given as text are compiled against the API and packed as jars. */
public final class PluginFolder {

    private static final Pattern TYPE = Pattern.compile("(?:class|record|interface) (\\w+)");
    private static final Pattern PACKAGE = Pattern.compile("package ([\\w.]+);");

    private final Path work;
    private final Path folder;
    private final Map<String, String> descriptor = new LinkedHashMap<>();
    private final List<Path> modulePath = new ArrayList<>();

    public PluginFolder(Path root, String id) throws IOException {
        this.work = root.resolve("work").resolve(id);
        this.folder = Files.createDirectories(root.resolve("plugins").resolve(id));
        modulePath.add(api());
        modulePath.add(jspecify(root.resolve("work/org.jspecify")));
        with("id", id).with("version", "0.3.0").with("api", "[1.0,2)").with("java", "25").with("module",
                "test." + id.replace('-', '.'));
    }

    /** The API that this test runs with: a folder of classes or a jar. */
    static Path api() {
        try {
            return Path.of(ApiVersion.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The API's module asks for this one when something is compiled against it; a stand-in will do. */
    private static Path jspecify(Path classes) throws IOException {
        if (!Files.exists(classes)) {
            Path sources = Files.createDirectories(classes.resolveSibling("org.jspecify.src"));
            Path module = Files.writeString(sources.resolve("module-info.java"),
                    "module org.jspecify { exports org.jspecify.annotations; }");
            Path type = Files.writeString(sources.resolve("NullMarked.java"),
                    "package org.jspecify.annotations; public @interface NullMarked {}");
            run("javac", List.of("-d", classes.toString(), module.toString(), type.toString()));
        }
        return classes;
    }

    public Path path() {
        return folder;
    }

    public PluginFolder with(String key, String value) throws IOException {
        descriptor.put(key, value);
        var text = new StringBuilder();
        descriptor.forEach((k, v) -> text.append(k).append('=').append(v).append('\n'));
        Files.writeString(folder.resolve("plugin.properties"), text);
        return this;
    }

    /** Later jars may use what this jar or folder has. */
    public PluginFolder seeing(Path library) {
        modulePath.add(library);
        return this;
    }

    /** Compiles the sources and packs them; later jars see this one. */
    public PluginFolder jar(String name, String... sources) throws IOException {
        Path classes = Files.createDirectories(work.resolve(name + ".classes"));
        var files = new ArrayList<String>();
        for (String source : sources) {
            Path file = work.resolve(name + ".src").resolve(fileName(source));
            Files.createDirectories(file.getParent());
            Files.writeString(file, source);
            files.add(file.toString());
        }
        var arguments = new ArrayList<>(List.of("-d", classes.toString(), "-nowarn", "-p",
                String.join(java.io.File.pathSeparator, modulePath.stream().map(Path::toString).toList())));
        arguments.addAll(files);
        run("javac", arguments);
        Path jar = folder.resolve(name);
        run("jar", List.of("--create", "--file", jar.toString(), "-C", classes.toString(), "."));
        modulePath.add(jar);
        return this;
    }

    private static String fileName(String source) {
        if (source.contains("module ") && !source.contains("package ")) {
            return "module-info.java";
        }
        Matcher type = TYPE.matcher(source);
        Matcher inPackage = PACKAGE.matcher(source);
        if (!type.find() || !inPackage.find()) {
            throw new IllegalArgumentException("no type in: " + source);
        }
        return inPackage.group(1).replace('.', '/') + "/" + type.group(1) + ".java";
    }

    private static void run(String tool, List<String> arguments) {
        var out = new StringWriter();
        var writer = new PrintWriter(out);
        int code = ToolProvider.findFirst(tool).orElseThrow().run(writer, writer, arguments.toArray(String[]::new));
        if (code != 0) {
            throw new IllegalStateException(tool + " " + arguments + "\n" + out);
        }
    }
}
