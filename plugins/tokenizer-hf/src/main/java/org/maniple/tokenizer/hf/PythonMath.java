package org.maniple.tokenizer.hf;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Arithmetic as in Python, except that integers have 64 bits: what does not fit fails instead of growing. */
final class PythonMath {
    private PythonMath() {}

    static @Nullable Object binary(String operator, @Nullable Object left, @Nullable Object right, RenderBudget budget) {
        if (left instanceof TemplateObject.Undefined undefined) {
            throw undefined.failure();
        }
        if (right instanceof TemplateObject.Undefined undefined) {
            throw undefined.failure();
        }
        if (operator.equals("%") && left instanceof String format) {
            return budget.made(PercentFormat.format(format, right, budget));
        }
        if (PythonValues.isNumber(left) && PythonValues.isNumber(right)) {
            return numbers(operator, left, right);
        }
        return switch (operator) {
            case "+" -> plus(left, right, budget);
            case "*" -> times(left, right, budget);
            default -> throw unsupported(operator, left, right);
        };
    }

    private static TemplateException unsupported(String operator, @Nullable Object left, @Nullable Object right) {
        return TemplateException
                .failed("unsupported operand type(s) for " + operator + ": '" + PythonValues.type(left) + "' and '"
                        + PythonValues.type(right) + "'");
    }

    private static Object plus(@Nullable Object left, @Nullable Object right, RenderBudget budget) {
        if (left instanceof String a && right instanceof String b) {
            budget.text((long) a.length() + b.length());
            return a.concat(b);
        }
        if (left instanceof List<?> a && right instanceof List<?> b
                && a instanceof TemplateObject.Tuple == b instanceof TemplateObject.Tuple) {
            budget.list((long) a.size() + b.size());
            var sum = new ArrayList<@Nullable Object>(a.size() + b.size());
            sum.addAll(a);
            sum.addAll(b);
            return a instanceof TemplateObject.Tuple ? new TemplateObject.Tuple(sum) : sum;
        }
        throw unsupported("+", left, right);
    }

    private static Object times(@Nullable Object left, @Nullable Object right, RenderBudget budget) {
        if (left instanceof Long && !(right instanceof Long)) {
            return times(right, left, budget);
        }
        if (right instanceof Long count) {
            long copies = Math.max(0, Math.min(count, RenderBudget.LARGEST_TEXT + 1L));
            if (left instanceof String text) {
                budget.text(copies * text.length());
                return text.isEmpty() ? text : text.repeat((int) copies);
            }
            if (left instanceof List<?> list) {
                budget.list(copies * list.size());
                var all = new ArrayList<@Nullable Object>();
                for (int i = 0; i < copies && !list.isEmpty(); i++) {
                    all.addAll(list);
                }
                return left instanceof TemplateObject.Tuple ? new TemplateObject.Tuple(all) : all;
            }
        }
        throw unsupported("*", left, right);
    }

    private static Object numbers(String operator, @Nullable Object left, @Nullable Object right) {
        if (left instanceof Double || right instanceof Double || operator.equals("/")) {
            return doubles(operator, toDouble(left), toDouble(right));
        }
        try {
            return longs(operator, toLong(left), toLong(right));
        } catch (ArithmeticException e) {
            throw TemplateException.failed("integers of more than 64 bits are not supported");
        }
    }

    private static Object longs(String operator, long a, long b) {
        return switch (operator) {
            case "+" -> Math.addExact(a, b);
            case "-" -> Math.subtractExact(a, b);
            case "*" -> Math.multiplyExact(a, b);
            case "//" -> Math.floorDiv(a, notZero(b));
            case "%" -> Math.floorMod(a, notZero(b));
            case "**" -> b < 0 ? (Object) Math.pow((double) a, (double) b) : (Object) power(a, b);
            default -> throw new IllegalStateException(operator);
        };
    }

    private static long notZero(long divisor) {
        if (divisor == 0) {
            throw TemplateException.failed("integer division or modulo by zero");
        }
        return divisor;
    }

    private static long power(long base, long exponent) {
        if (base == 0 || base == 1 || base == -1) {
            return exponent == 0 || base == 1 || base == -1 && exponent % 2 == 0 ? 1 : base;
        }
        if (exponent > 63) {
            throw new ArithmeticException("overflow");
        }
        long result = 1;
        for (long i = 0; i < exponent; i++) {
            result = Math.multiplyExact(result, base);
        }
        return result;
    }

    private static double doubles(String operator, double a, double b) {
        if (b == 0 && (operator.equals("/") || operator.equals("//") || operator.equals("%"))) {
            throw TemplateException.failed("division by zero");
        }
        return switch (operator) {
            case "+" -> a + b;
            case "-" -> a - b;
            case "*" -> a * b;
            case "/" -> a / b;
            case "//" -> Math.floor(a / b);
            case "%" -> {
                double rest = a % b;
                yield rest != 0 && rest < 0 != b < 0 ? rest + b : rest;
            }
            case "**" -> Math.pow(a, b);
            default -> throw new IllegalStateException(operator);
        };
    }

    static Object negate(@Nullable Object value) {
        return switch (value) {
            case Double number -> -number;
            case Long number when number != Long.MIN_VALUE -> -number;
            case Boolean flag -> flag ? -1L : 0L;
            case TemplateObject.Undefined undefined -> throw undefined.failure();
            case null, default ->
                throw TemplateException.failed("bad operand type for unary -: '" + PythonValues.type(value) + "'");
        };
    }

    static double toDouble(@Nullable Object number) {
        return number instanceof Double value ? value : toLong(number);
    }

    static long toLong(@Nullable Object number) {
        return switch (number) {
            case Long value -> value;
            case Boolean flag -> flag ? 1 : 0;
            case null, default ->
                throw TemplateException.failed("expected an integer, found '" + PythonValues.type(number) + "'");
        };
    }

    static int compare(@Nullable Object left, @Nullable Object right) {
        if (left instanceof Double || right instanceof Double) {
            double a = toDouble(left);
            double b = toDouble(right);
            return a == b ? 0 : a < b ? -1 : 1;
        }
        return Long.compare(toLong(left), toLong(right));
    }

    /** As Python prints a float: the shortest digits that read back, with an exponent below 1e-4 and from 1e16. */
    static String repr(double value) {
        if (Double.isNaN(value)) {
            return "nan";
        }
        if (Double.isInfinite(value)) {
            return value > 0 ? "inf" : "-inf";
        }
        if (value == 0) {
            return 1 / value < 0 ? "-0.0" : "0.0";
        }
        var digits = new BigDecimal(Double.toString(value)).stripTrailingZeros();
        int exponent = digits.precision() - digits.scale() - 1;
        if (exponent >= -4 && exponent < 16) {
            var plain = digits.toPlainString();
            return plain.indexOf('.') >= 0 ? plain : plain + ".0";
        }
        var unscaled = digits.unscaledValue().abs().toString();
        return (value < 0 ? "-" : "") + unscaled.charAt(0) + (unscaled.length() > 1 ? "." + unscaled.substring(1) : "") + "e"
                + (exponent < 0 ? "-" : "+") + (Math.abs(exponent) < 10 ? "0" : "") + Math.abs(exponent);
    }
}
