package org.maniple.kernel.structured;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The decimal numbers between two bounds, written without exponents and with so many digits after the point at most. Numbers are counted
 * in units of the last digit, so that an exclusive bound is an inclusive one of the next unit.
 */
final class NumberRange {

    private static final int MAX_DIGITS = 40;
    private static final int PRECISION = 15;
    private static final int FRACTION = 10;
    private static final int MARGIN = 3;
    private static final BigInteger FAR = BigInteger.TEN.pow(JsonForms.INTEGER_DIGITS).subtract(BigInteger.ONE);

    /** A bound of a schema. */
    record Bound(BigDecimal value, boolean exclusive) {}

    private final int scale;
    private final BigInteger low;
    private final BigInteger high;

    private NumberRange(int scale, BigInteger low, BigInteger high) {
        this.scale = scale;
        this.low = low;
        this.high = high;
    }

    /**
     * The expression of all numbers in a range.
     *
     * @throws ConstraintException if a bound has too many digits
     */
    static Expression between(Optional<Bound> minimum, Optional<Bound> maximum, boolean integer) {
        int whole = Math.max(digits(minimum), digits(maximum));
        int scale = 0;
        if (!integer) {
            // No more digits than a double tells apart, so that a number that is less than a bound is so for every reader.
            scale = Math.max(Math.max(scale(minimum), scale(maximum)), Math.clamp((long) PRECISION - whole, 0, FRACTION));
        }
        BigInteger far = FAR.max(BigInteger.TEN.pow(whole + MARGIN));
        if (!integer) {
            far = BigInteger.TEN.pow(Math.max(whole + 1, PRECISION)).subtract(BigInteger.ONE);
        }
        BigInteger unit = BigInteger.TEN.pow(scale);
        BigInteger low = minimum.map(bound -> units(bound, unit, RoundingMode.CEILING)).orElse(far.multiply(unit).negate());
        BigInteger high = maximum.map(bound -> units(bound, unit, RoundingMode.FLOOR)).orElse(far.multiply(unit));
        return new NumberRange(scale, low, high).expression();
    }

    private static int digits(Optional<Bound> bound) {
        if (bound.isEmpty()) {
            return 0;
        }
        BigDecimal value = bound.get().value();
        long whole = (long) value.precision() - value.scale();
        if (whole > MAX_DIGITS || value.scale() > MAX_DIGITS) {
            throw new ConstraintException("a bound has more than " + MAX_DIGITS + " digits before or after its point");
        }
        return (int) Math.max(1, whole);
    }

    private static int scale(Optional<Bound> bound) {
        return bound.map(each -> Math.max(0, each.value().stripTrailingZeros().scale())).orElse(0);
    }

    private static BigInteger units(Bound bound, BigInteger unit, RoundingMode rounding) {
        BigDecimal exact = bound.value().multiply(new BigDecimal(unit));
        BigInteger rounded = exact.setScale(0, rounding).toBigInteger();
        boolean onBound = bound.exclusive() && exact.compareTo(new BigDecimal(rounded)) == 0;
        return !onBound ? rounded : rounding == RoundingMode.CEILING ? rounded.add(BigInteger.ONE) : rounded.subtract(BigInteger.ONE);
    }

    private Expression expression() {
        List<Expression> options = new ArrayList<>();
        if (high.signum() >= 0) {
            addMagnitudes(options, low.max(BigInteger.ZERO), high);
        }
        if (low.signum() < 0) {
            List<Expression> negative = new ArrayList<>();
            addMagnitudes(negative, high.negate().max(BigInteger.ONE), low.negate());
            options.add(Expression.sequence(Expression.text("-"), new Expression.Either(negative)));
        }
        return new Expression.Either(options);
    }

    /** Numbers with as many digits before the point, for each such count. */
    private void addMagnitudes(List<Expression> options, BigInteger from, BigInteger to) {
        if (from.compareTo(to) > 0) {
            return;
        }
        int longest = to.toString().length();
        for (int length = Math.max(scale + 1, from.toString().length()); length <= Math.max(longest, scale + 1); length++) {
            BigInteger least = length == scale + 1 ? BigInteger.ZERO : BigInteger.TEN.pow(length - 1);
            BigInteger greatest = BigInteger.TEN.pow(length).subtract(BigInteger.ONE);
            BigInteger first = from.max(least);
            BigInteger last = to.min(greatest);
            if (first.compareTo(last) <= 0) {
                options.add(digits(padded(first, length), padded(last, length), 0, true, true));
            }
        }
    }

    private static String padded(BigInteger value, int length) {
        String digits = value.toString();
        return "0".repeat(length - digits.length()) + digits;
    }

    /**
     * The digits from a place on.
     *
     * @param first the smallest number, as digits
     * @param last the greatest number, as digits
     * @param atFirst whether the digits so far are those of the smallest one
     * @param atLast whether the digits so far are those of the greatest one
     */
    private Expression digits(String first, String last, int place, boolean atFirst, boolean atLast) {
        int whole = first.length() - scale;
        if (place == first.length()) {
            return Expression.EMPTY;
        }
        if (!atFirst && !atLast) {
            return anyDigits(Math.max(0, whole - place), Math.min(scale, first.length() - place), place > whole);
        }
        Expression digit = digitAndRest(first, last, place, atFirst, atLast);
        Expression more = place == whole ? Expression.sequence(Expression.text("."), digit) : digit;
        boolean mayStop = place >= whole && (!atFirst || isZero(first, place));
        return mayStop ? Expression.optional(more) : more;
    }

    private Expression digitAndRest(String first, String last, int place, boolean atFirst, boolean atLast) {
        char lowest = atFirst ? first.charAt(place) : '0';
        char highest = atLast ? last.charAt(place) : '9';
        List<Expression> options = new ArrayList<>();
        char from = lowest;
        char to = highest;
        if (atFirst) {
            boolean both = atLast && lowest == highest;
            options.add(Expression.sequence(Expression.text(String.valueOf(lowest)), digits(first, last, place + 1, true, both)));
            from++;
        }
        if (atLast && !(atFirst && lowest == highest)) {
            options.add(Expression.sequence(Expression.text(String.valueOf(highest)), digits(first, last, place + 1, false, true)));
            to--;
        }
        if (from <= to) {
            options.add(Expression.sequence(new Expression.OneOf(CodePoints.range(from, to)),
                    digits(first, last, place + 1, false, false)));
        }
        return new Expression.Either(options);
    }

    /** Digits that no bound limits any more. */
    private static Expression anyDigits(int whole, int fraction, boolean afterPoint) {
        Expression digit = new Expression.OneOf(CharacterClasses.DIGIT);
        Expression before = new Expression.Repeat(digit, whole, whole);
        if (fraction == 0) {
            return before;
        }
        Expression after = afterPoint
                ? new Expression.Repeat(digit, 0, fraction)
                : Expression.optional(Expression.sequence(Expression.text("."), new Expression.Repeat(digit, 1, fraction)));
        return Expression.sequence(before, after);
    }

    private static boolean isZero(String digits, int from) {
        return digits.substring(from).chars().allMatch(c -> c == '0');
    }
}
