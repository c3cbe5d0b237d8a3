package org.maniple.kernel.structured;

import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The formats of strings that are supported, each as an expression of texts that every validator takes for the format. */
final class StringFormats {

    private static final String DAYS_OF_31 = "(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])";
    private static final String DAYS_OF_30 = "(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)";
    // A day that only some years have is left out.
    private static final String FEBRUARY = "02-(?:0[1-9]|1[0-9]|2[0-8])";
    private static final String DATE = "[12][0-9]{3}-(?:" + DAYS_OF_31 + "|" + DAYS_OF_30 + "|" + FEBRUARY + ")";
    private static final String HOUR_MINUTE = "(?:[01][0-9]|2[0-3]):[0-5][0-9]";
    private static final String TIME = HOUR_MINUTE + ":[0-5][0-9](?:\\.[0-9]{1,6})?(?:Z|[+-](?:0[0-9]|1[0-7]):[0-5][0-9])";
    private static final String LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,30}[a-zA-Z0-9])?";
    private static final String HOST = LABEL + "(?:\\." + LABEL + "){0,4}";
    private static final String HEX = "[0-9a-fA-F]{1,4}";
    private static final String OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";

    private static final Map<String, String> PATTERNS = Map.ofEntries(
            Map.entry("date", DATE),
            Map.entry("time", TIME),
            Map.entry("date-time", DATE + "T" + TIME),
            Map.entry("duration", "P(?:[0-9]{1,4}W|[0-9]{1,4}Y(?:[0-9]{1,2}M(?:[0-9]{1,3}D)?)?|[0-9]{1,2}M(?:[0-9]{1,3}D)?"
                    + "|[0-9]{1,4}D(?:T[0-9]{1,2}H)?|T(?:[0-9]{1,4}H(?:[0-9]{1,2}M(?:[0-9]{1,2}S)?)?|[0-9]{1,4}M(?:[0-9]{1,2}S)?"
                    + "|[0-9]{1,5}S))"),
            Map.entry("uuid", "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"),
            Map.entry("email", "[a-zA-Z0-9_+-]{1,32}(?:\\.[a-zA-Z0-9_+-]{1,32}){0,3}@(?:" + LABEL + "\\.){1,4}[a-zA-Z]{2,12}"),
            Map.entry("hostname", HOST),
            Map.entry("ipv4", OCTET + "(?:\\." + OCTET + "){3}"),
            Map.entry("ipv6", "(?:" + HEX + ":){7}" + HEX + "|(?:" + HEX + ":){1,6}:" + HEX + "|(?:" + HEX + ":){1,2}(?::" + HEX
                    + "){1,5}|::(?:" + HEX + ":){0,5}" + HEX),
            Map.entry("uri", "[a-z][a-z0-9+-]{1,15}://" + HOST + "(?::[1-9][0-9]{0,3})?(?:/[a-zA-Z0-9._~-]{0,64}){0,16}"
                    + "(?:\\?[a-zA-Z0-9._~=&-]{0,256})?(?:#[a-zA-Z0-9._~-]{0,64})?"));

    /** These say something about a string's use, or about the size of a number. */
    private static final Set<String> WITHOUT_FORM = Set.of("password", "binary", "int32", "int64", "float", "double", "text",
            "string");

    private StringFormats() {}

    /**
     * Refuses a format that is not known.
     *
     * @throws ConstraintException if the format is not supported
     */
    static void check(String format) {
        if (!PATTERNS.containsKey(format) && !WITHOUT_FORM.contains(format)) {
            throw new ConstraintException("the `format` [" + format + "] is not supported; there are "
                    + String.join(", ", PATTERNS.keySet().stream().sorted().toList()));
        }
    }

    /**
     * The regular expression of a format.
     *
     * @return empty if strings of this format may be any
     * @throws ConstraintException if the format is not supported
     */
    static Optional<String> pattern(String format) {
        check(format);
        return Optional.ofNullable(PATTERNS.get(format));
    }
}
