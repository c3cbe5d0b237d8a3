package org.maniple.kernel.structured;

import java.util.HashMap;
import java.util.Map;

/** Reads grammars in GBNF (also the EBNF of xgrammar) and in Lark's form; a grammar in which {@code ::=} stands is one of the first. */
final class GrammarText {

    private final Grammar grammar;
    private final Map<String, Integer> rules = new HashMap<>();

    private GrammarText(Grammar grammar) {
        this.grammar = grammar;
    }

    /**
     * Reads a grammar.
     *
     * @param grammar takes the rules
     * @return the call of its root ({@code root}, or Lark's {@code start})
     * @throws ConstraintException if it is malformed or uses something unsupported
     */
    static Expression read(String text, Grammar grammar) {
        var reading = new GrammarText(grammar);
        return text.contains("::=") ? reading.readGbnf(text) : reading.readLark(text);
    }

    private Expression readGbnf(String text) {
        return define(new GbnfReader(text, this::rule).read(), "root");
    }

    private Expression readLark(String text) {
        return define(new LarkReader(text, this::rule).read(), "start");
    }

    private Expression define(Map<String, Expression> definitions, String root) {
        definitions.forEach((name, expression) -> grammar.define(rule(name), expression));
        if (!definitions.containsKey(root)) {
            throw new ConstraintException("it has no rule [" + root + "], with which a text begins");
        }
        rules.forEach((name, rule) -> {
            if (!grammar.isDefined(rule)) {
                throw new ConstraintException("the rule [" + name + "] is used but not defined");
            }
        });
        return new Expression.Call(rule(root));
    }

    private int rule(String name) {
        Integer rule = rules.get(name);
        if (rule == null) {
            rule = grammar.declare(name);
            rules.put(name, rule);
        }
        return rule;
    }
}
