package org.maniple.api;

/**
 * The version of this API. A plugin's descriptor states the range of versions that it works with. The major number changes when
 * something that plugins implement or call is removed or changes its meaning; the minor one when something is added.
 *
 * @param major incompatible changes
 * @param minor additions
 */
public record ApiVersion(int major, int minor) implements Comparable<ApiVersion> {

    /** The version that this jar is. */
    public static final ApiVersion CURRENT = new ApiVersion(1, 0);

    /**
     * Reads {@code "1.3"} or {@code "1"} (minor 0).
     *
     * @param text digits, optionally a dot and digits
     * @return the version
     * @throws IllegalArgumentException if the text is anything else
     */
    public static ApiVersion parse(String text) {
        if (!text.matches("\\d{1,6}(\\.\\d{1,6})?")) {
            throw new IllegalArgumentException("API version [" + text + "] is not of the form major.minor, for example 1.0");
        }
        int dot = text.indexOf('.');
        return dot < 0
                ? new ApiVersion(Integer.parseInt(text), 0)
                : new ApiVersion(Integer.parseInt(text.substring(0, dot)), Integer.parseInt(text.substring(dot + 1)));
    }

    @Override
    public int compareTo(ApiVersion other) {
        return major != other.major ? Integer.compare(major, other.major) : Integer.compare(minor, other.minor);
    }

    @Override
    public String toString() {
        return major + "." + minor;
    }
}
