package org.maniple.kernel.config;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.maniple.api.config.Option;
import org.maniple.api.config.OptionType;
import org.maniple.kernel.config.Given.Origin;

/**
 * Reads flags by the table of options: {@code --key value}, {@code --key=value}, {@code --no-key}, short ones as {@code -tp 2}, and
 * underscores instead of dashes.
 */
final class FlagReader {

    private final OptionTable table;
    private final Problems problems;
    private final List<String> notices;
    private final List<Given> given = new ArrayList<>();

    FlagReader(OptionTable table, Problems problems, List<String> notices) {
        this.table = table;
        this.problems = problems;
        this.notices = notices;
    }

    List<Given> read(List<String> arguments) {
        int at = 0;
        while (at < arguments.size()) {
            at += one(arguments, at);
        }
        return List.copyOf(given);
    }

    /** Reads the flag at a position and answers how many arguments it took. */
    private int one(List<String> arguments, int at) {
        String argument = arguments.get(at);
        if (!isFlag(argument)) {
            problems.add(argument, "a flag was expected here; values stand behind their flag, as in --port 8000");
            return 1;
        }
        int equals = argument.indexOf('=');
        String flag = equals < 0 ? argument : argument.substring(0, equals);
        String name = flag.replaceFirst("^--?", "");
        Optional<String> attached = equals < 0 ? Optional.empty() : Optional.of(argument.substring(equals + 1));
        Optional<String> next = at + 1 < arguments.size() && !isFlag(arguments.get(at + 1))
                ? Optional.of(arguments.get(at + 1))
                : Optional.empty();
        var option = table.byFlag(flag);
        if (option.isPresent()) {
            return option.get().type() == OptionType.BOOLEAN
                    ? truth(option.get(), flag, attached, next)
                    : value(option.get(), flag, attached, next);
        }
        return unusual(flag, name, attached, next);
    }

    private int unusual(String flag, String name, Optional<String> attached, Optional<String> next) {
        var negated = table.byNegation(name);
        if (negated.isPresent() && attached.isEmpty()) {
            accept(negated.get(), flag, "false");
            return 1;
        }
        var ignored = table.withoutEffect(name);
        if (ignored.isEmpty()) {
            problems.add(flag, table.unknown("flag", name));
            return attached.isEmpty() && next.isPresent() ? 2 : 1;
        }
        boolean takesNext = ignored.get().takesValue() && attached.isEmpty() && next.isPresent();
        IgnoredOptions.check(name, attached.or(() -> next), flag, ignored.get(), problems, notices);
        return takesNext ? 2 : 1;
    }

    private int truth(Option option, String flag, Optional<String> attached, Optional<String> next) {
        if (attached.isPresent()) {
            accept(option, flag, attached.get());
            return 1;
        }
        boolean spelledOut = next.filter(text -> text.equals("true") || text.equals("false")).isPresent();
        accept(option, flag, spelledOut ? next.get() : "true");
        return spelledOut ? 2 : 1;
    }

    private int value(Option option, String flag, Optional<String> attached, Optional<String> next) {
        var text = attached.or(() -> next);
        if (text.isEmpty()) {
            problems.add(flag, option.key(), "the flag needs a value: " + option.help());
            return 1;
        }
        accept(option, flag, text.get());
        return attached.isPresent() ? 1 : 2;
    }

    private void accept(Option option, String flag, String text) {
        Object value;
        try {
            value = ValueParser.parse(option, text);
        } catch (IllegalArgumentException e) {
            problems.add(flag, option.key(), String.valueOf(e.getMessage()));
            return;
        }
        for (Given before : given) {
            if (before.key().equals(option.key())) {
                if (!before.value().equals(value)) {
                    problems.add(flag, option.key(),
                            "[" + text + "] contradicts [" + ValueParser.text(before.value()) + "] of " + before.source()
                                    + "; give it once");
                }
                return;
            }
        }
        given.add(new Given(option.key(), value, Origin.FLAG, flag, OptionTable.plain(flag)));
    }

    static boolean isFlag(String argument) {
        return argument.matches("--?[a-zA-Z].*");
    }
}
