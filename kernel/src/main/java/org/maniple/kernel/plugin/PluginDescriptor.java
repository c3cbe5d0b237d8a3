package org.maniple.kernel.plugin;

import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;

/**
 * What {@code plugin.properties} says, so that a plugin can be listed without running its code.
 *
 * @param id also the name of its folder
 * @param version its own version
 * @param api versions of the API that it works with, as written
 * @param java the lowest Java feature version that it runs on
 * @param module the module that provides its extensions
 * @param requires ids of plugins whose exported packages it uses
 * @param nativeAccess modules of its folder that call native code
 * @param description one line for people
 */
public record PluginDescriptor(
        String id,
        String version,
        String api,
        int java,
        String module,
        List<String> requires,
        List<String> nativeAccess,
        String description) {

    static final String FILE = "plugin.properties";
    private static final long LARGEST_FILE = 64 * 1024;
    private static final List<String> KEYS = List.of("id", "version", "api", "java", "module", "requires", "native-access",
            "description");
    private static final List<String> NEEDED = List.of("id", "version", "api", "java", "module");

    /** Copies the lists. */
    public PluginDescriptor {
        requires = List.copyOf(requires);
        nativeAccess = List.copyOf(nativeAccess);
    }

    /** Reads the descriptor in a folder. */
    static PluginDescriptor read(Path folder) {
        String folderName = folder.getFileName().toString();
        var file = folder.resolve(FILE);
        if (!Files.isRegularFile(file)) {
            throw new PluginException(folderName, folder, "it has no " + FILE,
                    "unpack a plugin's zip here, or remove the folder");
        }
        try {
            return of(folderName, entries(file));
        } catch (IOException | IllegalArgumentException e) {
            throw new PluginException(folderName, folder, FILE + ": " + e.getMessage(),
                    "correct the descriptor, or install the plugin again", e);
        }
    }

    private static Map<String, String> entries(Path file) throws IOException {
        long size = Files.size(file);
        if (size > LARGEST_FILE) {
            throw new IllegalArgumentException("it has " + size + " bytes; at most " + LARGEST_FILE + " are read");
        }
        var entries = new LinkedHashMap<String, String>();
        var properties = new Properties() {
            private static final long serialVersionUID = 1L;

            @Override
            public synchronized Object put(Object key, Object value) {
                if (entries.put((String) key, ((String) value).strip()) != null) {
                    throw new IllegalArgumentException("key [" + key + "] occurs twice");
                }
                return value;
            }
        };
        properties.load(new StringReader(Files.readString(file, StandardCharsets.UTF_8)));
        return entries;
    }

    private static PluginDescriptor of(String folderName, Map<String, String> entries) {
        for (String key : entries.keySet()) {
            if (!KEYS.contains(key)) {
                throw new IllegalArgumentException(
                        "unknown key [" + key + "]; known: " + KEYS + NearestName.hint(key, KEYS));
            }
        }
        for (String key : NEEDED) {
            if (entries.getOrDefault(key, "").isEmpty()) {
                throw new IllegalArgumentException("key [" + key + "] is missing");
            }
        }
        String id = entries.getOrDefault("id", "");
        if (!id.matches("[a-z][a-z0-9]*(-[a-z0-9]+)*") || id.equals(PluginCatalog.KERNEL)) {
            throw new IllegalArgumentException(
                    "id [" + id + "] must be lower-case kebab, and not [" + PluginCatalog.KERNEL + "]");
        }
        if (!id.equals(folderName)) {
            throw new IllegalArgumentException("id [" + id + "] differs from the folder's name [" + folderName + "]");
        }
        String api = entries.getOrDefault("api", "");
        ApiRange.parse(api);
        return new PluginDescriptor(id, entries.getOrDefault("version", ""), api, java(entries.getOrDefault("java", "")),
                entries.getOrDefault("module", ""),
                list(entries.getOrDefault("requires", "")), list(entries.getOrDefault("native-access", "")),
                entries.getOrDefault("description", ""));
    }

    private static int java(String text) {
        if (!text.matches("[1-9][0-9]{0,3}")) {
            throw new IllegalArgumentException("java [" + text + "] is not a feature version such as 25");
        }
        return Integer.parseInt(text);
    }

    private static List<String> list(String text) {
        return Arrays.stream(text.split(",")).map(String::strip).filter(item -> !item.isEmpty()).distinct().toList();
    }

    ApiRange apiRange() {
        return ApiRange.parse(api);
    }
}
