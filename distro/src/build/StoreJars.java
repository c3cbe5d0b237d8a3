import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;

/**
 * Writes the jars below a folder again, with the same entries in the same order, but not compressed: a JVM that finds the classes of plugins in its archive
 * still reads and compares their bytes in every start, and to uncompress them takes a twentieth of it. Run by the build, on the Java that runs Maven.
 */
final class StoreJars {

    private StoreJars() {}

    public static void main(String[] arguments) throws IOException {
        List<Path> jars;
        try (Stream<Path> files = Files.walk(Path.of(arguments[0]))) {
            jars = files.filter(file -> file.toString().endsWith(".jar")).sorted().toList();
        }
        for (Path jar : jars) {
            store(jar);
        }
    }

    private static void store(Path jar) throws IOException {
        Path stored = jar.resolveSibling(jar.getFileName() + ".new");
        try (var from = new ZipFile(jar.toFile()); OutputStream file = Files.newOutputStream(stored); var to = new ZipOutputStream(file)) {
            to.setMethod(ZipOutputStream.STORED);
            for (ZipEntry entry : from.stream().toList()) {
                byte[] bytes = from.getInputStream(entry).readAllBytes();
                var sum = new CRC32();
                sum.update(bytes);
                var copy = new ZipEntry(entry.getName());
                copy.setTime(entry.getTime());
                copy.setSize(bytes.length);
                copy.setCrc(sum.getValue());
                to.putNextEntry(copy);
                to.write(bytes);
                to.closeEntry();
            }
        }
        Files.move(stored, jar, StandardCopyOption.REPLACE_EXISTING);
    }
}
