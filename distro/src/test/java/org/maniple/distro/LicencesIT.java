package org.maniple.distro;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.jar.JarFile;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The list of libraries says what is shipped, no less and no more. */
class LicencesIT {

    private static final Pattern ROW = Pattern.compile("\\| `([^:`]+):([^`]+)` \\| [^|]+ \\| ([^| ]+) \\|");
    private static final Pattern JAR = Pattern.compile("(.+?)-(\\d[\\w.]*)(-[a-z][\\w-]*)?\\.jar");
    private static final Pattern LICENCE_IN_POM = Pattern.compile("<license>\\s*<name>([^<]+)</name>(?:\\s*<url>([^<]+)</url>)?");

    /** What a row says, by artifact. */
    private record Listed(String group, String licence) {}

    @Test
    void everyLibraryIsListedWithTheLicenceItComesWith() throws IOException {
        Map<String, Listed> listed = listed();
        for (Path jar : libraries()) {
            Matcher name = name(jar);
            assertThat(listed).as("THIRD-PARTY.md has a row for " + jar).containsKey(name.group(1));
            Listed row = listed.get(name.group(1));
            assertThat(licence(jar, row.group(), name.group(1), name.group(2))).as("licence of " + jar).isEqualTo(row.licence());
        }
    }

    @Test
    void nothingIsListedThatIsNotShipped() throws IOException {
        var shipped = new TreeSet<String>();
        libraries().forEach(jar -> shipped.add(name(jar).group(1)));

        if (System.getProperty("maniple.plugins", "all").equals("all")) {
            assertThat(shipped).containsExactlyElementsOf(new TreeSet<>(listed().keySet()));
        } else {
            assertThat(listed().keySet()).containsAll(shipped);
        }
    }

    @Test
    void theProjectsOwnLicenceIsThere() {
        assertThat(Build.distribution().resolve("LICENSE")).content().contains("Apache License");
        assertThat(Build.distribution().resolve("NOTICE")).content().contains("Maniple");
        assertThat(Build.distribution().resolve("README.md")).isNotEmptyFile();
    }

    private static Map<String, Listed> listed() throws IOException {
        String text = Files.readString(Build.distribution().resolve("licenses/THIRD-PARTY.md"));
        var rows = new TreeMap<String, Listed>();
        ROW.matcher(text).results().forEach(row -> rows.put(row.group(2), new Listed(row.group(1), row.group(3))));
        assertThat(rows).isNotEmpty();
        return rows;
    }

    private static List<Path> libraries() throws IOException {
        try (Stream<Path> files = Files.walk(Build.distribution())) {
            return files.filter(file -> file.toString().endsWith(".jar"))
                    .filter(file -> !file.getFileName().toString().startsWith("maniple-"))
                    .sorted().toList();
        }
    }

    private static Matcher name(Path jar) {
        Matcher matcher = JAR.matcher(jar.getFileName().toString());
        assertThat(matcher.matches()).as("name and version of " + jar).isTrue();
        return matcher;
    }

    /** From the manifest, else from the POM in the jar, else from the POM that was downloaded with it. */
    private static String licence(Path jar, String group, String artifact, String version) throws IOException {
        try (var file = new JarFile(jar.toFile())) {
            String bundle = file.getManifest().getMainAttributes().getValue("Bundle-License");
            if (bundle != null) {
                return shortName(bundle);
            }
            var entry = file.getEntry("META-INF/maven/" + group + "/" + artifact + "/pom.xml");
            Path downloaded = Build.LOCAL_REPOSITORY.resolve(group.replace('.', '/')).resolve(artifact).resolve(version)
                    .resolve(artifact + "-" + version + ".pom");
            String pom = entry == null
                    ? Files.readString(downloaded)
                    : new String(file.getInputStream(entry).readAllBytes(), StandardCharsets.UTF_8);
            Matcher licence = LICENCE_IN_POM.matcher(pom);
            assertThat(licence.find()).as("a licence in the POM of " + jar).isTrue();
            return shortName(licence.group(1) + " " + licence.group(2));
        }
    }

    private static String shortName(String licence) {
        return licence.contains("apache.org/licenses/LICENSE-2.0") ? "Apache-2.0" : licence;
    }
}
