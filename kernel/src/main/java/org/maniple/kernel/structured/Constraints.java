package org.maniple.kernel.structured;

import java.util.List;
import org.maniple.api.engine.OutputConstraint;

/** From a constraint to its automaton. */
final class Constraints {

    private static final int MAX_CHARACTERS = 1 << 20;

    private Constraints() {}

    /**
     * Compiles a constraint.
     *
     * @throws ConstraintException if that is not possible; the message begins with the kind of constraint
     */
    static Automaton automaton(OutputConstraint constraint) {
        try {
            var grammar = new Grammar();
            int root = grammar.declare("root");
            grammar.define(root, expression(constraint, grammar));
            return new Automaton(NetworkBuilder.build(grammar, root), root);
        } catch (ConstraintException refused) {
            throw new ConstraintException("The " + kind(constraint) + " cannot be used: " + refused.getMessage() + ".");
        }
    }

    private static Expression expression(OutputConstraint constraint, Grammar grammar) {
        return switch (constraint) {
            case OutputConstraint.Schema(String schema, boolean compact) ->
                new SchemaReader(grammar, new JsonForms(grammar, compact)).read(bounded(schema));
            case OutputConstraint.AnyObject(boolean compact) -> new JsonForms(grammar, compact).anyObject();
            case OutputConstraint.Regex(String pattern) -> new RegexReader(bounded(pattern), CharacterForm.PLAIN).readWhole();
            case OutputConstraint.Choice(List<String> choices) -> choice(choices);
            case OutputConstraint.Grammar(String text) -> GrammarText.read(bounded(text), grammar);
            case OutputConstraint.AfterReasoning(String begin, String end, boolean inside, OutputConstraint then) ->
                Expression.sequence(Reasoning.of(grammar, begin, end, inside), expression(then, grammar));
        };
    }

    private static Expression choice(List<String> choices) {
        if (choices.isEmpty()) {
            throw new ConstraintException("it has no choices");
        }
        long characters = 0;
        for (String each : choices) {
            characters += each.length();
            if (each.isEmpty()) {
                throw new ConstraintException("a choice is empty");
            }
        }
        if (characters > MAX_CHARACTERS) {
            throw tooLong(characters);
        }
        return new Expression.Words(choices);
    }

    private static String bounded(String text) {
        if (text.length() > MAX_CHARACTERS) {
            throw tooLong(text.length());
        }
        return text;
    }

    private static ConstraintException tooLong(long characters) {
        return new ConstraintException("it has " + characters + " characters; at most " + MAX_CHARACTERS + " are supported");
    }

    private static String kind(OutputConstraint constraint) {
        return switch (constraint) {
            case OutputConstraint.Schema _ -> "JSON schema";
            case OutputConstraint.AnyObject _ -> "form of a JSON object";
            case OutputConstraint.Regex _ -> "regular expression";
            case OutputConstraint.Choice _ -> "choice";
            case OutputConstraint.Grammar _ -> "grammar";
            case OutputConstraint.AfterReasoning after -> kind(after.then());
        };
    }
}
