package org.maniple.kernel.boot;

import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.maniple.api.compute.ComputeBackend;
import org.maniple.api.compute.ComputeSession;
import org.maniple.api.text.TextCodec;
import org.maniple.kernel.config.KernelOptions;
import org.maniple.kernel.config.UnitConfiguration;
import org.maniple.kernel.plugin.ExtensionKind;
import org.maniple.kernel.unit.StartupReport;

/**
 * What of a rank follows from its configuration alone, and is made on threads of its own while the model's program is compiled. What goes wrong is thrown
 * where the result is asked for.
 */
final class EarlyParts {

    private final LateLines lines;
    private final Background<ComputeSession> session;
    private final @Nullable Background<Optional<TextCodec>> codec;

    private EarlyParts(LateLines lines, Background<ComputeSession> session, @Nullable Background<Optional<TextCodec>> codec) {
        this.lines = lines;
        this.session = session;
        this.codec = codec;
    }

    /**
     * Begins to make them.
     *
     * @param configuration of the rank
     * @param first whether it is rank 0: its back end speaks to the user, and it reads the tokenizer
     * @param report for what they have to say
     */
    static EarlyParts begin(UnitConfiguration configuration, boolean first, StartupReport report) {
        var lines = new LateLines(line -> {
            if (first) {
                report.line(line);
            }
        });
        ComputeBackend backend = configuration.chosen(ExtensionKind.COMPUTE);
        Background<ComputeSession> session = Background.start("maniple-compute", () -> backend
                .open(configuration.context(backend, lines), configuration.settings().integer(KernelOptions.THREADS)));
        return new EarlyParts(lines, session, first
                ? Background.start("maniple-tokenizer",
                        () -> ServedModel.codec(configuration, extension -> configuration.context(extension, lines)))
                : null);
    }

    /** The open back end, which belongs to the caller. */
    ComputeSession session() throws InterruptedException {
        ComputeSession opened = session.get();
        lines.open();
        return opened;
    }

    /** The tokenizer of rank 0, if the configuration wants one. */
    Optional<TextCodec> codec() throws InterruptedException {
        return codec == null ? Optional.empty() : codec.get();
    }
}
