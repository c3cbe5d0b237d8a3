package org.maniple.kernel.config;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import org.maniple.kernel.config.Given.Origin;
import org.maniple.kernel.plugin.NearestName;

/** Reads {@code MANIPLE_…} variables; one that stands for no key is a mistake. */
final class VariableReader {

    /** What {@code bin/maniple} itself reads. */
    private static final Set<String> LAUNCHERS = Set.of("MANIPLE_JAVA_HOME", "MANIPLE_CLASS_ARCHIVE");

    /** What Kubernetes puts into every pod for a Service named maniple or maniple-something. */
    private static final Pattern SERVICE = Pattern
            .compile("MANIPLE_(\\w+_)?(SERVICE_(HOST|PORT)(_\\w+)?|PORT_\\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)");
    private static final Pattern SERVICE_ADDRESS = Pattern.compile("(tcp|udp|sctp)://.*");

    private final OptionTable table;
    private final Problems problems;

    VariableReader(OptionTable table, Problems problems) {
        this.table = table;
        this.problems = problems;
    }

    List<Given> read(Environment environment) {
        var given = new ArrayList<Given>();
        environment.variables().forEach((name, text) -> {
            if (name.startsWith(Environment.PREFIX) && !LAUNCHERS.contains(name) && !ofKubernetes(name, text)) {
                read(name, text, given);
            }
        });
        return given;
    }

    private static boolean ofKubernetes(String name, String text) {
        return SERVICE.matcher(name).matches() || name.endsWith("_PORT") && SERVICE_ADDRESS.matcher(text).matches();
    }

    private void read(String name, String text, List<Given> given) {
        String key = name.substring(Environment.PREFIX.length()).toLowerCase(Locale.ROOT).replace('_', '-');
        var option = table.byKey(key);
        if (option.isEmpty()) {
            problems.add(name, "no configuration key has this variable" + NearestName.of(key, table.keys())
                    .map(nearest -> "; did you mean [" + Environment.variableOf(nearest) + "]?").orElse("; unset it"));
            return;
        }
        try {
            given.add(new Given(key, ValueParser.parse(option.get(), text.strip()), Origin.VARIABLE, name));
        } catch (IllegalArgumentException e) {
            problems.add(name, key, String.valueOf(e.getMessage()));
        }
    }
}
