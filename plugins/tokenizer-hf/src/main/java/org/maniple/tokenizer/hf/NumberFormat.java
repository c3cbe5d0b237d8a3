package org.maniple.tokenizer.hf;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Numbers as {@code printf} writes them, for both of Python's ways to format. */
final class NumberFormat {
    static final int WIDEST = 4096;
    private static final int MOST_DIGITS = 512;

    private NumberFormat() {}

    /** The digits of {@code value} in the given form, with a minus sign where negative. */
    static String write(@Nullable Object value, char form, int precision) {
        return switch (form) {
            case 'd', 'i', 'u' -> Long.toString(integer(value));
            case 'x' -> radix(integer(value), 16);
            case 'X' -> radix(integer(value), 16).toUpperCase(Locale.ROOT);
            case 'o' -> radix(integer(value), 8);
            case 'b' -> radix(integer(value), 2);
            case 'f', 'F' -> fixed(number(value), digits(precision));
            case 'e', 'E' -> exponent(number(value), digits(precision), form);
            case '%' -> fixed(number(value) * 100, digits(precision)) + "%";
            case 'g', 'G' -> general(number(value), Math.max(1, digits(precision)));
            default -> throw TemplateException.failed("unsupported format character '" + form + "'");
        };
    }

    private static int digits(int precision) {
        if (precision > MOST_DIGITS) {
            throw TemplateException.limit("formats a number with more than " + MOST_DIGITS + " digits");
        }
        return precision < 0 ? 6 : precision;
    }

    private static String radix(long value, int radix) {
        return Long.toString(value, radix);
    }

    private static long integer(@Nullable Object value) {
        if (value instanceof Double number && Math.abs(number) < 0x1p63) {
            return number.longValue();
        }
        return PythonMath.toLong(value);
    }

    private static double number(@Nullable Object value) {
        return PythonMath.toDouble(value);
    }

    private static boolean isSpecial(double value) {
        return Double.isNaN(value) || Double.isInfinite(value);
    }

    private static String fixed(double value, int digits) {
        return isSpecial(value)
                ? PythonMath.repr(value)
                : new BigDecimal(value).setScale(digits, RoundingMode.HALF_EVEN).toPlainString();
    }

    private static String exponent(double value, int digits, char form) {
        return isSpecial(value)
                ? PythonMath.repr(value)
                : String.format(Locale.ROOT, "%." + digits + (form == 'E' ? "E" : "e"), value);
    }

    private static String general(double value, int digits) {
        if (isSpecial(value) || value == 0) {
            return value == 0 ? "0" : PythonMath.repr(value);
        }
        var rounded = new BigDecimal(value).round(new java.math.MathContext(digits, RoundingMode.HALF_EVEN)).stripTrailingZeros();
        int exponent = rounded.precision() - rounded.scale() - 1;
        if (exponent >= -4 && exponent < digits) {
            return rounded.toPlainString();
        }
        var unscaled = rounded.unscaledValue().abs().toString();
        return (value < 0 ? "-" : "") + unscaled.charAt(0) + (unscaled.length() > 1 ? "." + unscaled.substring(1) : "") + "e"
                + (exponent < 0 ? "-" : "+") + (Math.abs(exponent) < 10 ? "0" : "") + Math.abs(exponent);
    }
}
