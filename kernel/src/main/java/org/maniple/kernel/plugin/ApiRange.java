package org.maniple.kernel.plugin;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.maniple.api.ApiVersion;

/**
 * The versions of the API that a plugin works with: {@code [1.0,2)} from 1.0 to below 2, {@code [1.2,)} 1.2 and all later ones, or a
 * single version {@code 1.2}: the same major number, and a minor number of at least 2.
 *
 * @param text as in the descriptor
 * @param from the lowest version, if there is one
 * @param fromIncluded whether the lowest version belongs to the range
 * @param to the highest version, if there is one
 * @param toIncluded whether the highest version belongs to the range
 */
record ApiRange(String text, Optional<ApiVersion> from, boolean fromIncluded, Optional<ApiVersion> to, boolean toIncluded) {

    private static final Pattern RANGE = Pattern.compile("([\\[(])\\s*([0-9.]*)\\s*,\\s*([0-9.]*)\\s*([\\])])");

    /** Throws {@link IllegalArgumentException} with what was expected. */
    static ApiRange parse(String text) {
        Matcher range = RANGE.matcher(text);
        if (range.matches()) {
            return new ApiRange(
                    text, bound(range.group(2)), range.group(1).equals("["), bound(range.group(3)), range.group(4).equals("]"));
        }
        if (text.isEmpty() || "[(".indexOf(text.charAt(0)) >= 0) {
            throw new IllegalArgumentException("API range [" + text + "] is not of the form [1.0,2) or 1.0");
        }
        var version = ApiVersion.parse(text);
        return new ApiRange(text, Optional.of(version), true, Optional.of(new ApiVersion(version.major() + 1, 0)), false);
    }

    private static Optional<ApiVersion> bound(String text) {
        return text.isEmpty() ? Optional.empty() : Optional.of(ApiVersion.parse(text));
    }

    boolean contains(ApiVersion version) {
        int low = from.map(version::compareTo).orElse(1);
        int high = to.map(version::compareTo).orElse(-1);
        return (fromIncluded ? low >= 0 : low > 0) && (toIncluded ? high <= 0 : high < 0);
    }

    @Override
    public String toString() {
        return text;
    }
}
