package org.maniple.kernel.structured;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.maniple.api.engine.OutputConstraint;

/** What regular expressions allow, and which are refused by what name. */
class RegexTest {

    @ParameterizedTest
    @CsvSource(delimiter = ';', quoteCharacter = '~', value = {
        "abc ; abc ; ab,abcd,~~",
        "^abc$ ; abc ; xabc",
        "a|bc ; a,bc ; b,abc",
        "^a|b$ ; a,b ; ab",
        "(?:^ab$) ; ab ; abb",
        "a*b+c? ; b,aabbc,bc ; a,cc",
        "a{2}b{1,}c{0,2} ; aab,aabbbcc ; ab,aabccc",
        "(ab|c){2,3} ; abc,ccc,abab ; ab,cccc",
        "[a-c]x[^a-c] ; axd,bx€ ; axa,dxd",
        "\\d+\\.\\d\\D ; 12.3x ; 12.34",
        "\\w\\W[\\s_] ; a-_ ; aa_",
        "[\\w.-]+@x ; a.b-c@x ; a b@x",
        "gr[üu]n ; grün,grun ; gruen",
        "\\u00fc\\x41\\u{1F30D} ; üA🌍 ; üA",
        "\\uD83C\\uDF0D ; 🌍 ; x",
        "\\p{Lu}\\p{Ll}+ ; Äther ; äther",
        "\\P{L} ; 1 ; a",
        "a.c ; abc,aüc,a🌍c ; ac",
        "(?<year>\\d{4})-(?P<m>\\d\\d) ; 2026-11 ; 26-11",
        "x{a} ; x{a} ; xa",
        "a+?b*? ; aab ; b",
        "\\[\\] ; [] ; x",
    })
    void allows(String pattern, String allowed, String refused) {
        Language language = Language.regex(pattern);
        language.with(allowed.split(","));
        language.without(refused.split(","));
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', quoteCharacter = '~', value = {
        "a(?=b) ; lookaround",
        "(?<!a)b ; lookaround",
        "(a)\\1 ; backreferences",
        "(?P<x>a)(?P=x) ; backreferences",
        "\\bword\\b ; word boundaries",
        "(?i)a ; flags",
        "(?>a) ; atomic groups",
        "a++ ; possessive",
        "a** ; a quantifier follows a quantifier",
        "*a ; nothing to repeat",
        "(a ; a group is not closed",
        "a) ; no opening one",
        "[a ; a set is not closed",
        "[b-a] ; a range",
        "[]a] ; a set is empty",
        "a{3,2} ; above its maximum",
        "a{2000000} ; larger than 1000000",
        "a^b ; at the beginning only",
        "a$b ; at the end only",
        "(a$)+ ; cannot be repeated",
        "(?:^a|b)c ; at the beginning and the end only",
        "\\q ; the escape \\q",
        "\\p{Greek} ; the property \\p{Greek}",
        "\\uD800 ; half a surrogate pair",
        "[^\\u0000-\\u{10FFFF}] ; no text of finite length",
    })
    void refuses(String pattern, String because) {
        Language.refuses(new OutputConstraint.Regex(pattern), because);
    }

    @Test
    void agreesWithJavaOnRandomExpressions() {
        var random = new Random(11);
        int matched = 0;
        for (int round = 0; round < 400; round++) {
            String pattern = expression(random, 3);
            Language language = Language.regex(pattern);
            Pattern java = Pattern.compile(pattern);
            for (int i = 0; i < 40; i++) {
                String text = text(random);
                boolean expected = java.matcher(text).matches();
                assertThat(language.has(text)).as("[%s] has [%s]", pattern, text).isEqualTo(expected);
                matched += expected ? 1 : 0;
            }
        }
        assertThat(matched).isGreaterThan(500);
    }

    private static String expression(Random random, int depth) {
        if (depth == 0) {
            return new String[] {"a", "b", "ü", "[ab]", "[^a]", "\\d", "."}[random.nextInt(7)];
        }
        String one = expression(random, depth - 1);
        String other = expression(random, depth - 1);
        return switch (random.nextInt(7)) {
            case 0 -> one + other;
            case 1 -> "(?:" + one + "|" + other + ")";
            case 2 -> "(" + one + ")*" + other;
            case 3 -> "(" + one + ")?" + other;
            case 4 -> "(?:" + one + "){1,3}";
            case 5 -> "(" + one + ")+";
            default -> one;
        };
    }

    private static String text(Random random) {
        var text = new StringBuilder();
        for (int length = random.nextInt(7); length > 0; length--) {
            text.append("abü1🌍".codePoints().skip(random.nextInt(5)).limit(1).mapToObj(Character::toString).findFirst().orElse(""));
        }
        return text.toString();
    }
}
