package org.maniple.transport.rdma;

import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.maniple.api.ManipleException;
import org.maniple.testkit.GivenContext;

/** Programs of these tests in processes of their own. */
final class ChildJvm {

    private ChildJvm() {}

    static Process start(Class<?> program, Map<String, String> environment, List<String> flags, String... arguments)
            throws IOException {
        var command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx64m"));
        command.addAll(flags);
        command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-cp",
                String.join(File.pathSeparator, root(RdmaTransport.class), root(program), root(ManipleException.class),
                        root(GivenContext.class)),
                program.getName()));
        command.addAll(List.of(arguments));
        var builder = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
        builder.environment().putAll(environment);
        return builder.start();
    }

    /** Where the classes of a module are. */
    private static String root(Class<?> type) {
        try {
            var source = type.getProtectionDomain().getCodeSource();
            if (source != null && source.getLocation() != null && type.getModule() != RdmaTransport.class.getModule()) {
                return Path.of(source.getLocation().toURI()).toString();
            }
            Path file = Path.of(new URI(type.getResource(type.getSimpleName() + ".class").toString()));
            return file.getRoot().resolve(file.subpath(0, file.getNameCount() - type.getName().split("\\.").length)).toString();
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }
}
