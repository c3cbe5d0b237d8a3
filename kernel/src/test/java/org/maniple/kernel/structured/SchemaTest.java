package org.maniple.kernel.structured;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.maniple.api.engine.OutputConstraint;

/** What JSON schemas allow, and which are refused by what name. Single quotes stand for double ones. */
class SchemaTest {

    @ParameterizedTest
    @CsvSource(delimiter = ';', quoteCharacter = '~', value = {
        "{'type':'null'} ; null ; nul|1",
        "{'type':'boolean'} ; true|false ; null|True",
        "{'type':'integer'} ; 0|-1|123456789012345678 ; -0|01|1.0|1e3|1234567890123456789",
        "{'type':'number'} ; 0|-0.5|1.25|1e3|2.5E-7 ; .5|1.|+1|1e400|0x1",
        "{'type':'string'} ; ''|'ü🌍'|'\\n\\u00fc\\\\'|'\\ud83c\\udf0d' ; x|'|'\\x'|'\\ud83c'|'\\udf0d'",
        "{'type':'string','minLength':2,'maxLength':3} ; 'ab'|'🌍🌍'|'\\n\\u1234a' ; 'a'|'abcd'",
        "{'type':'string','pattern':'^[a-c]+$'} ; 'a'|'cab' ; ''|'ad'",
        "{'type':'string','pattern':'[0-9]{2}'} ; 'x12y'|'12' ; '1'|'a'",
        "{'type':'string','pattern':'^a.\\\\\\\\$'} ; 'ab\\\\' ; 'ab\\'",
        "{'type':'string','pattern':'^[a-z]*$','maxLength':2} ; ''|'ab' ; 'abc'|'1'",
        "{'type':'string','pattern':'^[0-9]{3}$','minLength':1} ; '123' ; '12'",
        "{'type':['string','null']} ; 'a'|null ; 1",
        "{'type':'string','nullable':true} ; 'a'|null ; 1",
        "{'type':['number','integer']} ; 1.5 ; a",
        "{'enum':['a',1,null,[1,'x'],{'k':true}]} ; 'a'|1|null|[1,'x']|{'k':true} ; 2|'b'",
        "{'enum':['a',1],'type':'string'} ; 'a' ; 1",
        "{'const':'a\\n'} ; 'a\\n' ; 'a'",
        "{} ; 1|{}|[{'a':[null]}]|'x' ; x|{a:1}",
        "true ; 1|[] ; x",
        "{'anyOf':[{'type':'integer'},{'type':'null'}]} ; 1|null ; 'a'",
        "{'oneOf':[{'type':'integer'},{'type':'string'}]} ; 1|'a' ; null",
        "{'allOf':[{'type':'integer','minimum':3},{'maximum':5}]} ; 3|5 ; 2|6",
        "{'minLength':1} ; 'a' ; ''|1",
    })
    void allowsScalarsAndCombinations(String schema, String allowed, String refused) {
        Language.schema(schema).with(quoted(allowed)).without(quoted(refused));
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', quoteCharacter = '~', value = {
        "{'type':'object','properties':{'a':{'type':'integer'},'b':{}},'required':['a','b']}"
                + " ; {'a':1,'b':null}|{ 'a': 1, 'b': [] } ; {'a':1}|{'b':1,'a':1}|{'a':1,'b':1,'c':1}|{'a':1,,'b':1}",
        "{'type':'object','properties':{'a':{'type':'integer'},'b':{'type':'integer'},'c':{'type':'integer'}},'required':['b']}"
                + " ; {'b':1}|{'a':1,'b':1}|{'b':1,'c':1}|{'a':1,'b':1,'c':1} ; {}|{'a':1}|{'c':1}|{,'b':1}|{'b':1,}",
        "{'type':'object','properties':{'a':{'type':'integer'},'b':{'type':'integer'}}} ; {}|{'a':1}|{'b':1}|{'a':1,'b':1} ; {'c':1}|{'b':1,'a':1}",
        "{'type':'object','properties':{}} ; {} ; {'a':1}",
        "{'type':'object'} ; {}|{'a':{'b':[]}} ; []",
        "{'type':'object','properties':{'ab':{'type':'integer'}},'additionalProperties':{'type':'string'}}"
                + " ; {}|{'ab':1}|{'a':'x'}|{'abc':'x','b':'y'}|{'ab':1,'':'x'} ; {'ab':'x'}|{'a':1}|{'\\u0061b':'x'}",
        "{'type':'object','required':['z'],'additionalProperties':{'type':'null'}} ; {'z':null}|{'z':null,'y':null} ; {}|{'z':1}",
        "{'type':'object','properties':{'a\\nü':true},'required':['a\\nü']} ; {'a\\nü':1} ; {'a':1}",
        "{'allOf':[{'type':'object','properties':{'a':{'type':'integer'}},'required':['a']},{'properties':{'b':{'type':'null'}},'required':['b']}]}"
                + " ; {'a':1,'b':null} ; {'a':1}|{'b':null}",
        "{'type':'object','properties':{'a':{'type':'integer'},'b':{'type':'integer'}},'anyOf':[{'required':['a']},{'required':['b']}]}"
                + " ; {'a':1}|{'b':1}|{'a':1,'b':1} ; {}",
        "{'oneOf':[{'type':'object','properties':{'t':{'const':'x'}},'required':['t']},{'type':'object','properties':{'t':{'const':'y'},'v':{'type':'null'}},'required':['t']}]}"
                + " ; {'t':'x'}|{'t':'y','v':null} ; {'t':'x','v':null}|{}",
    })
    void allowsObjects(String schema, String allowed, String refused) {
        Language.schema(schema).with(quoted(allowed)).without(quoted(refused));
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', quoteCharacter = '~', value = {
        "{'type':'array'} ; []|[1,'a',[]]|[ 1, 2 ] ; [,]|[1,]",
        "{'type':'array','items':{'type':'integer'},'minItems':1,'maxItems':3} ; [1]|[1,2,3] ; []|[1,2,3,4]|['a']",
        "{'type':'array','prefixItems':[{'type':'integer'},{'type':'string'}]} ; []|[1]|[1,'a'] ; ['a']|[1,'a',2]",
        "{'type':'array','prefixItems':[{'type':'integer'},{'type':'string'}],'items':{'type':'null'},'minItems':2,'maxItems':4}"
                + " ; [1,'a']|[1,'a',null,null] ; [1]|[1,'a',null,null,null]|[1,'a',1]",
        "{'type':'array','items':[{'type':'integer'}],'additionalItems':false} ; []|[1] ; [1,1]",
        "{'type':'array','prefixItems':[{'type':'null'}],'minItems':2} ; [null,1]|[null,[]] ; [null]|[1,1]",
        "{'type':'array','items':false} ; [] ; [1]",
        "{'type':'array','items':{'type':'integer'},'maxItems':0} ; [] ; [1]",
    })
    void allowsArrays(String schema, String allowed, String refused) {
        Language.schema(schema).with(quoted(allowed)).without(quoted(refused));
    }

    @Test
    void followsReferencesAlsoInCircles() {
        Language.schema("{'$defs':{'node':{'type':'object','properties':{'v':{'type':'integer'},'next':{'anyOf':[{'$ref':'#/$defs/node'},"
                + "{'type':'null'}]}},'required':['v','next']}},'$ref':'#/$defs/node'}")
                .with(quoted("{'v':1,'next':null}|{'v':1,'next':{'v':2,'next':null}}")).without(quoted("{'v':1}|{'v':1,'next':{}}"));
        Language.schema("{'type':'array','items':{'$ref':'#'}}").with("[]", "[[],[[]]]").without("[1]");
        Language.schema("{'definitions':{'a/b~c':{'type':'null'}},'$ref':'#/definitions/a~1b~0c'}").with("null").without("1");
        Language.schema("{'$defs':{'a':{'$ref':'#/$defs/b'},'b':{'type':'string'}},'$ref':'#/$defs/a','maxLength':1}")
                .with(quoted("'a'")).without(quoted("'ab'"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', quoteCharacter = '~', value = {
        "date ; 2026-11-28|2000-02-28|1999-12-31 ; 2026-02-30|2026-13-01|26-1-1|2026-04-31",
        "time ; 23:59:59Z|00:00:00.25+02:00 ; 24:00:00Z|10:00:00",
        "date-time ; 2026-11-28T08:00:00Z|2026-01-31T23:59:59.5-05:30 ; 2026-11-28|2026-11-28 08:00:00Z",
        "duration ; P3D|PT5M|P1Y2M|P2W|PT1H30M ; P|3D",
        "uuid ; 123e4567-e89b-12d3-a456-426614174000 ; 123e4567",
        "email ; a.b+c@example.org ; a@b|a b@c.de",
        "hostname ; a.example-1.org ; -a|a..b",
        "ipv4 ; 0.0.0.0|255.19.9.100 ; 256.1.1.1|1.2.3|01.1.1.1",
        "ipv6 ; 2001:db8:0:0:0:0:0:1|::1|fe80::1:2 ; 1:2|:::",
        "uri ; https://example.org/a/b?c=d#e|ftp://x ; example.org|http://",
        "password ; anything ; ",
    })
    void knowsFormats(String format, String allowed, String refused) {
        Language language = Language.schema("{'type':'string','format':'" + format + "'}");
        for (String text : allowed.split("\\|")) {
            language.with('"' + text + '"');
        }
        for (String text : refused == null ? new String[0] : refused.split("\\|")) {
            language.without('"' + text + '"');
        }
    }

    @ParameterizedTest
    @CsvSource({"3,11", "-7,7", "0,0", "-20,-3", "99,1001", "-1,0", "5,5", "0,99", "10,99", "-1000,1000", "17,23"})
    void countsIntegersBetweenBounds(int minimum, int maximum) {
        Language language = Language.schema("{'type':'integer','minimum':" + minimum + ",'maximum':" + maximum + "}");
        Language exclusive = Language.schema(
                "{'type':'integer','exclusiveMinimum':" + (minimum - 1) + ",'exclusiveMaximum':" + (maximum + 1) + "}");
        for (int i = -2200; i <= 2200; i++) {
            boolean expected = i >= minimum && i <= maximum;
            assertThat(language.has(Integer.toString(i))).as("%d", i).isEqualTo(expected);
            assertThat(exclusive.has(Integer.toString(i))).as("%d", i).isEqualTo(expected);
        }
    }

    @Test
    void keepsNumbersBetweenBounds() {
        var random = new Random(5);
        int inside = 0;
        for (int round = 0; round < 60; round++) {
            BigDecimal one = number(random);
            BigDecimal other = number(random);
            BigDecimal minimum = one.min(other);
            BigDecimal maximum = one.max(other);
            boolean exclusive = random.nextBoolean() && minimum.compareTo(maximum) < 0;
            String prefix = exclusive ? "'exclusiveM" : "'m";
            Language language = Language.schema("{'type':'number'," + prefix + "inimum':" + minimum.toPlainString() + "," + prefix
                    + "aximum':" + maximum.toPlainString() + "}");
            for (int i = 0; i < 100; i++) {
                BigDecimal value = i == 0 ? minimum : i == 1 ? maximum : number(random);
                int low = value.compareTo(minimum);
                int high = value.compareTo(maximum);
                boolean expected = exclusive ? low > 0 && high < 0 : low >= 0 && high <= 0;
                if (value.signum() != 0 || !value.toPlainString().startsWith("-")) {
                    assertThat(language.has(value.toPlainString())).as("%s in %s..%s", value, minimum, maximum)
                            .isEqualTo(expected);
                }
                inside += expected ? 1 : 0;
            }
        }
        assertThat(inside).isGreaterThan(500);
    }

    private static BigDecimal number(Random random) {
        return BigDecimal.valueOf(random.nextInt(-20_000, 20_000), random.nextInt(0, 5));
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', quoteCharacter = '~', value = {
        "{'type':'integer','multipleOf':3} ; the keyword `multipleOf` at # is not supported",
        "{'not':{}} ; the keyword `not` at # is not supported",
        "{'type':'object','properties':{'a':{'type':'object','patternProperties':{}}}} ; the keyword `patternProperties` at #/properties/a is not",
        "{'type':'object','minProperties':1} ; `minProperties`",
        "{'type':'array','contains':{}} ; `contains`",
        "{'type':'array','uniqueItems':true} ; `uniqueItems`",
        "{'if':{}} ; `if`",
        "{'$ref':'other.json'} ; `$ref` [other.json] is not supported",
        "{'$ref':'#/$defs/x'} ; points to nothing",
        "{'$ref':'#'} ; leads to more than 32 others",
        "{'$defs':{'a':{'$ref':'#/$defs/b'},'b':{'$ref':'#/$defs/a'}},'$ref':'#/$defs/a'} ; leads to more than 32 others",
        "{'$defs':{'a':{'type':'object','properties':{'x':{'$ref':'#/$defs/a'}},'required':['x']}},'$ref':'#/$defs/a'} ; no text of finite length",
        "{'anyOf':[{'$ref':'#'},{'type':'null'}]} ; can begin with itself",
        "{'oneOf':[{'type':'integer'},{'type':'number'}]} ; the alternatives 0 and 1 of `oneOf` at # may both hold",
        "{'oneOf':[{'type':'object','properties':{'a':{}}},{'type':'object','properties':{'b':{}}}]} ; may both hold",
        "{'enum':['a'],'minLength':3} ; `minLength` beside `enum`",
        "{'enum':['a'],'type':'integer'} ; no text of finite length",
        "{'type':'string','pattern':'(?=a)'} ; the `pattern` at # cannot be used: lookaround is not supported",
        "{'type':'string','pattern':'^(ab)+$','maxLength':3} ; beside a pattern",
        "{'type':'string','format':'iri'} ; the `format` [iri] is not supported; there are date, date-time",
        "{'type':'string','minLength':3,'maxLength':2} ; `minLength` is above `maxLength`",
        "{'type':'string','minLength':-1} ; `minLength` must be a whole number that is not negative",
        "{'type':'string','maxLength':100000} ; to be repeated 100000 times",
        "{'type':'integer','minimum':5,'maximum':4} ; no text of finite length",
        "{'type':'integer','minimum':1e300} ; more than 40 digits",
        "{'type':'integer','minimum':'1'} ; `minimum` must be a number",
        "{'type':'thing'} ; the `type` [thing] at #",
        "{'type':3} ; `type` must be a string or a list",
        "{'type':'object','properties':[]} ; `properties` must be an object",
        "{'type':'object','required':'a'} ; `required` must be a list",
        "{'anyOf':[]} ; `anyOf` must be a list of schemas that is not empty",
        "{'allOf':[{'pattern':'a'},{'pattern':'b'}]} ; have different `pattern`",
        "false ; no text of finite length",
        "[] ; a schema must be an object, true or false",
        "{'a':1,'a':2} ; not valid JSON",
        "{'type':'null'} x ; not valid JSON",
        "nul ; not valid JSON",
    })
    void refuses(String schema, String because) {
        Language.refuses(new OutputConstraint.Schema(schema.replace('\'', '"'), false), because);
    }

    @Test
    void writesNoWhiteSpaceIfItIsToBeCompact() {
        Language.of(new OutputConstraint.AnyObject(true)).with("{\"a\":[1,2]}").without("{ \"a\":1}", "{\"a\": 1}");
        Language.of(new OutputConstraint.AnyObject(false)).with("{ \"a\": [1, 2] }", "{\n\t\"a\": 1\n}").without("{   \"a\":1}",
                "{\n\n\"a\":1}");
    }

    @Test
    void choosesAmongTexts() {
        Language.of(new OutputConstraint.Choice(List.of("yes", "yesterday", "ja 🌍"))).with("yes", "yesterday", "ja 🌍")
                .without("ye", "yesterda", "");
        Language.refuses(new OutputConstraint.Choice(List.of()), "no choices");
        Language.refuses(new OutputConstraint.Choice(List.of("a", "")), "a choice is empty");
    }

    private static String[] quoted(String texts) {
        return texts.replace('\'', '"').split("\\|");
    }
}
