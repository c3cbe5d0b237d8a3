package org.maniple.kernel.config;

import java.util.ArrayList;
import java.util.List;

/** Expands SLURM's compressed lists of hosts, for example {@code n[01-03,07],login1} or {@code rack[1-2]n[1-4]}. */
final class SlurmHostList {

    private static final int MOST_HOSTS = 65_536;

    private SlurmHostList() {}

    /** Throws {@link IllegalArgumentException} if the text is no such list or names too many hosts. */
    static List<String> expand(String text) {
        var hosts = new ArrayList<String>();
        for (String part : split(text)) {
            hosts.addAll(expandOne(part, text));
            check(hosts.size() <= MOST_HOSTS, text, "names more than " + MOST_HOSTS + " hosts");
        }
        return hosts;
    }

    /** Splits at commas that are not inside brackets. */
    private static List<String> split(String text) {
        var parts = new ArrayList<String>();
        int depth = 0;
        int start = 0;
        for (int at = 0; at < text.length(); at++) {
            char character = text.charAt(at);
            depth += character == '[' ? 1 : character == ']' ? -1 : 0;
            check(depth == 0 || depth == 1, text, "has brackets that do not match");
            if (character == ',' && depth == 0) {
                parts.add(text.substring(start, at));
                start = at + 1;
            }
        }
        check(depth == 0, text, "has brackets that do not match");
        parts.add(text.substring(start));
        return parts;
    }

    private static List<String> expandOne(String part, String text) {
        int open = part.indexOf('[');
        if (open < 0) {
            check(!part.isBlank(), text, "has an empty entry");
            return List.of(part.strip());
        }
        int close = part.indexOf(']', open);
        var tails = close + 1 < part.length() ? expandOne(part.substring(close + 1), text) : List.of("");
        var hosts = new ArrayList<String>();
        for (String number : numbers(part.substring(open + 1, close), text)) {
            for (String tail : tails) {
                hosts.add(part.substring(0, open).strip() + number + tail);
                check(hosts.size() <= MOST_HOSTS, text, "names more than " + MOST_HOSTS + " hosts");
            }
        }
        return hosts;
    }

    private static List<String> numbers(String ranges, String text) {
        var numbers = new ArrayList<String>();
        for (String range : ranges.split(",", -1)) {
            check(range.matches("\\d{1,9}(-\\d{1,9})?"), text,
                    "has a range [" + range + "] that is no number or pair of numbers");
            int dash = range.indexOf('-');
            String first = dash < 0 ? range : range.substring(0, dash);
            int from = Integer.parseInt(first);
            int to = dash < 0 ? from : Integer.parseInt(range.substring(dash + 1));
            check(from <= to && to - from < MOST_HOSTS, text, "has a range [" + range + "] that is empty or too long");
            for (int number = from; number <= to; number++) {
                numbers.add(("%0" + first.length() + "d").formatted(number));
            }
        }
        return numbers;
    }

    private static void check(boolean good, String text, String complaint) {
        if (!good) {
            throw new IllegalArgumentException("host list [" + text + "] " + complaint);
        }
    }
}
