package org.maniple.kernel.structured;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.maniple.api.engine.OutputConstraint;

/** What grammars allow, and which are refused by what name. */
class GrammarTextTest {

    @Test
    void readsGbnf() {
        Language.grammar("""
                # a sum of products
                root ::= sum "=" digit{1,3}   # with its result
                sum  ::= product (ws "+" ws product)*
                product ::= atom
                    ( "*" atom )*
                atom ::= number | "(" sum ")"
                number ::= "-"? digit+
                digit ::= [0-9]
                ws ::= [ \\t]?
                """)
                .with("1=1", "1+2*3=7", "(1 + 2)*-3=999", "((((1))))=1")
                .without("1", "1=", "1=1234", "1++2=3", "(1=1", "1 +  2=3");
    }

    @Test
    void readsLark() {
        Language.grammar("""
                // a statement
                ?start: select | "DROP"i table -> drop
                select: "SELECT " column ("," column)* " FROM " table [" LIMIT " NUMBER]
                column: /[a-z]+/ | "*"
                table: LETTER+
                LETTER: "a".."z"
                NUMBER.2: /[1-9][0-9]*/
                """)
                .with("SELECT a,b FROM t", "SELECT * FROM tab LIMIT 10", "dropx", "DrOpx")
                .without("SELECT  FROM t", "SELECT a FROM t LIMIT 0", "drop ");
    }

    @Test
    void followsRecursionInTheMiddleAndAtTheEnd() {
        Language.grammar("root ::= \"a\" root \"b\" | \"\"").with("", "ab", "aaabbb").without("a", "aab", "abb");
        Language.grammar("root ::= \"a\" root | \"b\"").with("b", "a".repeat(5000) + "b").without("a");
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {
        "'root ::= \"\\x41\\u00fc\\U0001F30D\\n\\\"\"' ; 'Aü🌍\n\"' ; 'A'",
        "'root ::= [^a-c\\]\\n] .' ; 'xa' ; 'ax'",
        "'root ::= [-a] [a\\-z]' ; '--' ; '-b'",
        "'root ::= (\"a\" | \"b\"){2}' ; 'ab' ; 'a'",
        "'root ::= \"a\"{2,}' ; 'aaa' ; 'a'",
        "'root ::= \"a\" | ' ; 'a' ; 'b'",
        "'root ::= my-rule my-rule\nmy-rule ::= \"x\"' ; 'xx' ; 'x'",
    })
    void knowsEscapesSetsAndRepetitions(String grammar, String allowed, String refused) {
        Language.grammar(grammar).with(allowed).without(refused);
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {
        "'start ::= \"a\"' ; no rule [root]",
        "'root ::= other' ; the rule [other] is used but not defined",
        "'root ::= \"a' ; a text is not closed",
        "'root ::= [a' ; a set is not closed",
        "'root ::= (\"a\"' ; a group is not closed",
        "'root ::= \"a\")' ; was expected instead of [)]",
        "'root ::= \"a\"\nroot ::= \"b\"' ; is defined twice",
        "'root ::= root \"a\" | \"b\"' ; the rule [root] can begin with itself",
        "'root ::= x\nx ::= \"a\"? y\ny ::= x \"b\" | \"c\"' ; can begin with itself (left recursion)",
        "'root ::= \"a\" root' ; no text of finite length",
        "'root ::= \"\\q\"' ; an escape is not supported",
        "'root ::= [z-a]' ; a range of a set",
        "'root ::= \"a\"{3,2}' ; above its maximum",
        "'root ::= @' ; a text, a set, a group or the name of a rule was expected",
        "'root' ; a colon was expected after the name [root]",
        "'%import common.WS\nstart: \"a\"' ; directives",
        "'start: /a(?=b)/' ; lookaround",
        "'start: \"a\"~3' ; repetitions with ~",
        "'rule: \"a\"' ; no rule [start]",
        "'' ; no rule [start]",
    })
    void refuses(String grammar, String because) {
        Language.refuses(new OutputConstraint.Grammar(grammar), because);
    }
}
