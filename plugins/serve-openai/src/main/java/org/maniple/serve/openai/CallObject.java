package org.maniple.serve.openai;

import java.util.Set;
import java.util.function.Predicate;
import org.maniple.serve.openai.JsonSpan.Place;

/**
 * Reads a call that is written as a JSON object with the keys {@code name} and {@code arguments} (or {@code parameters}) in any order.
 * Arguments that are written as a string are passed on as what the string says; missing ones are an empty object.
 */
final class CallObject {

    /** What has become of the object. */
    enum Fate {
        /** It goes on. */
        OPEN,
        /** It ended with the last character. */
        DONE,
        /** It went wrong with the last character, before it was a call: {@link #text} says what was there. */
        NONE,
        /** It went wrong with the last character, which is no part of it, when it was a call already. */
        CUT
    }

    private enum At {
        START, KEY, IN_KEY, COLON, VALUE, IN_NAME, IN_ARGUMENTS, IN_ARGUMENT_TEXT, IN_OTHER, COMMA
    }

    private static final String NAME = "name";
    private static final Set<String> ARGUMENTS = Set.of("arguments", "parameters");
    private static final String NOTHING = "{}";

    private final CallSink sink;
    private final Predicate<String> isTool;
    private final boolean argumentsNeeded;
    private final StringBuilder text = new StringBuilder();
    private final StringBuilder key = new StringBuilder();
    private final StringBuilder name = new StringBuilder();
    private final StringBuilder pending = new StringBuilder();
    private JsonStringText string = new JsonStringText();
    private JsonSpan span = new JsonSpan();
    private At at = At.START;
    private boolean named;
    private boolean begun;
    private boolean argued;

    /**
     * An object that has not begun.
     *
     * @param isTool which names are taken; with another one the object is no call
     * @param argumentsNeeded whether an object without arguments is no call
     */
    CallObject(CallSink sink, Predicate<String> isTool, boolean argumentsNeeded) {
        this.sink = sink;
        this.isTool = isTool;
        this.argumentsNeeded = argumentsNeeded;
    }

    /** All characters so far, as long as it is no call. */
    String text() {
        return text.toString();
    }

    /** Whether it has been passed on as a call. */
    boolean isCall() {
        return begun;
    }

    /** Takes the next character, beginning with the opening brace or white space before it. */
    Fate take(char c) {
        if (!begun) {
            text.append(c);
        }
        return switch (at) {
            case START -> expect(c, '{', At.KEY);
            case KEY -> key(c);
            case IN_KEY -> {
                if (string.take(c, key)) {
                    at = At.COLON;
                }
                yield Fate.OPEN;
            }
            case COLON -> expect(c, ':', At.VALUE);
            case VALUE -> value(c);
            case IN_NAME -> {
                if (string.take(c, name)) {
                    at = At.COMMA;
                    yield named();
                }
                yield Fate.OPEN;
            }
            case IN_ARGUMENT_TEXT -> {
                at = string.take(c, pending) ? At.COMMA : at;
                pass();
                yield Fate.OPEN;
            }
            case IN_ARGUMENTS -> inArguments(c);
            case IN_OTHER -> {
                Place place = span.take(c, new StringBuilder());
                at = place == Place.INSIDE ? at : At.COMMA;
                yield place == Place.AFTER ? comma(c) : Fate.OPEN;
            }
            case COMMA -> comma(c);
        };
    }

    private Fate expect(char c, char wanted, At next) {
        if (c == wanted) {
            at = next;
            return Fate.OPEN;
        }
        return isSpace(c) ? Fate.OPEN : wrong();
    }

    private Fate key(char c) {
        if (c == '"') {
            key.setLength(0);
            string = new JsonStringText();
            at = At.IN_KEY;
            return Fate.OPEN;
        }
        return c == '}' ? close() : isSpace(c) ? Fate.OPEN : wrong();
    }

    private Fate value(char c) {
        if (isSpace(c)) {
            return Fate.OPEN;
        }
        String of = key.toString();
        if (of.equals(NAME) && !named) {
            if (c != '"') {
                return wrong();
            }
            string = new JsonStringText();
            at = At.IN_NAME;
            return Fate.OPEN;
        }
        span = new JsonSpan();
        if (!ARGUMENTS.contains(of) || argued) {
            at = At.IN_OTHER;
            return span.take(c, new StringBuilder()) == Place.AFTER ? wrong() : Fate.OPEN;
        }
        argued = true;
        if (named) {
            begin();
        }
        if (c == '"') {
            string = new JsonStringText();
            at = At.IN_ARGUMENT_TEXT;
            return Fate.OPEN;
        }
        at = At.IN_ARGUMENTS;
        return inArguments(c);
    }

    private Fate inArguments(char c) {
        Place place = span.take(c, pending);
        boolean nothing = "null".startsWith(pending.toString());
        if (place == Place.INSIDE) {
            if (!nothing) {
                pass();
            }
            return Fate.OPEN;
        }
        if (nothing) {
            pending.setLength(0);
            pending.append(NOTHING);
        }
        pass();
        at = At.COMMA;
        return place == Place.AFTER ? comma(c) : Fate.OPEN;
    }

    private Fate comma(char c) {
        if (c == ',') {
            at = At.KEY;
            return Fate.OPEN;
        }
        return c == '}' ? close() : isSpace(c) ? Fate.OPEN : wrong();
    }

    private Fate named() {
        if (name.isEmpty() || !isTool.test(name.toString())) {
            return Fate.NONE;
        }
        named = true;
        if (argued) {
            begin();
            pass();
        }
        return Fate.OPEN;
    }

    private Fate close() {
        if (!begun && (!named || argumentsNeeded)) {
            return Fate.NONE;
        }
        if (!begun) {
            begin();
            sink.arguments(NOTHING);
        }
        return Fate.DONE;
    }

    private Fate wrong() {
        return begun ? Fate.CUT : Fate.NONE;
    }

    private void begin() {
        begun = true;
        text.setLength(0);
        sink.call(name.toString());
    }

    private void pass() {
        if (begun && !pending.isEmpty()) {
            sink.arguments(pending);
            pending.setLength(0);
        }
    }

    static boolean isSpace(char c) {
        return c == ' ' || c == '\n' || c == '\t' || c == '\r';
    }
}
