package org.maniple.kernel.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.maniple.api.config.Option;
import org.maniple.api.config.OptionType;

/** Options in words, two lines each. */
final class OptionHelp {

    private OptionHelp() {}

    static List<String> lines(List<Option> options) {
        var lines = new ArrayList<String>();
        for (Option option : options) {
            lines.add("  " + flag(option));
            lines.add("      " + option.help() + option.defaultValue().map(value -> " Default: " + value + ".").orElse(""));
        }
        return lines;
    }

    private static String flag(Option option) {
        String names = option.aliases().isEmpty() ? "" : ", " + String.join(", ", option.aliases());
        String value = option.type() == OptionType.BOOLEAN
                ? ""
                : option.choices().isEmpty()
                        ? " " + option.type().name().toLowerCase(Locale.ROOT)
                        : " " + String.join("|", option.choices());
        return "--" + option.key() + names + value;
    }
}
