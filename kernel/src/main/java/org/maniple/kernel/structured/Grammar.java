package org.maniple.kernel.structured;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Rules that may call each other. Built by one thread: a rule is declared, may be called from then on, and is defined later. */
final class Grammar {

    private static final int MAX_RULES = 20_000;

    private final List<String> names = new ArrayList<>();
    private final List<@Nullable Expression> definitions = new ArrayList<>();

    /**
     * A new rule that is still to be defined.
     *
     * @param name what messages call it
     */
    int declare(String name) {
        if (names.size() == MAX_RULES) {
            throw new ConstraintException("it becomes a grammar of more than " + MAX_RULES + " rules; make it smaller");
        }
        names.add(name);
        definitions.add(null);
        return names.size() - 1;
    }

    void define(int rule, Expression expression) {
        definitions.set(rule, expression);
    }

    /** A new rule with its definition. */
    Expression rule(String name, Expression expression) {
        int rule = declare(name);
        define(rule, expression);
        return new Expression.Call(rule);
    }

    int rules() {
        return names.size();
    }

    String name(int rule) {
        return names.get(rule);
    }

    boolean isDefined(int rule) {
        return definitions.get(rule) != null;
    }

    Expression definition(int rule) {
        Expression definition = definitions.get(rule);
        if (definition == null) {
            throw new IllegalStateException("the rule " + name(rule) + " was not defined");
        }
        return definition;
    }
}
