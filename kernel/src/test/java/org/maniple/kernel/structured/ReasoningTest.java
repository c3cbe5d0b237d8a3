package org.maniple.kernel.structured;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.maniple.api.engine.OutputConstraint;
import org.maniple.api.engine.OutputConstraint.AfterReasoning;
import org.maniple.api.engine.OutputConstraint.Regex;
import org.maniple.api.engine.OutputConstraint.Schema;

/** A constraint that begins when the model has thought. */
class ReasoningTest {

    private static final OutputConstraint DIGITS = new Regex("[0-9]+");

    private static Language think(boolean inside, OutputConstraint then) {
        return Language.of(new AfterReasoning("<think>", "</think>", inside, then));
    }

    @Test
    void anythingComesBeforeTheMarkAndWhatIsDemandedAfterIt() {
        think(true, DIGITS).with("</think>1", "Hm, 1 < 2 </b>.\n\n{}</think>\n\n12", "<</think>1", "</thi</think>1",
                "<think>ä🌍</think>\n7")
                .without("12", "x", "x</think>", "x</think>a", "x</think>a</think>1", "x</think> 1", "</think>\n\n\n1",
                        "</think1");
    }

    @Test
    void whereThePromptDoesNotOpenItTheModelThinksOrAnswersAtOnce() {
        think(false, DIGITS).with("12", "<think>x</think>1", "<think></think>\n\n1")
                .without("<think>12", "x</think>1", "\n12", "<think>a</think>b</think>1", "</think>1");
    }

    @ParameterizedTest
    @CsvSource({"aab, aaaab1, aab11b", "abab, abaabab1, ababab1", "[/THINK], [/THI[/THINK]1, [/THINK][/THINK]1", "x, aax1, xx1",
        "é🌍, é🌎éé🌍1, é🌍é🌍1"})
    void theFirstMarkEndsItWhateverItLooksLike(String mark, String text, String twice) {
        Language language = Language.of(new AfterReasoning("(", mark, true, DIGITS));
        language.with(text).without(twice);
        assertThat(language.begins(text.substring(0, text.length() - 1) + "x")).isFalse();
    }

    /** As the models write it. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "false | '<think>\nThe user wants {\"a\": 2}?\n</think>\n\n{\"a\": 1}'",
        "true | 'Okay, so <json>.\n</think>\n\n{\"a\":1}'", "true | '\n</think>\n\n{ \"a\": 1 }'", "false | {\"a\":1}"})
    void anAnswerIsWhatASchemaDemandsHoweverLongTheModelThinks(boolean inside, String text) {
        Schema schema = new Schema(
                "{\"type\":\"object\",\"properties\":{\"a\":{\"const\":1}},\"required\":[\"a\"],\"additionalProperties\":false}",
                false);
        String written = text.replace("\\n", "\n");
        think(inside, schema).with(written).without(written.replace("1}", "3}").replace("1 }", "3 }"), written + "!");
        assertThat(think(inside, schema).begins(written.substring(0, written.length() / 2))).isTrue();
    }

    @Test
    void aSpecialTokenIsWrittenIfItIsTheMark() {
        ListCodec codec = ListCodec.of("hm");
        var compiler = new ConstraintCompiler(codec, codec.vocabularySize());
        CompiledConstraint marked = compiler.compiled(new AfterReasoning("<s>", "</s>", true, DIGITS));
        Position position = marked.begin();
        assertThat(allows(marked, position, codec.end())).isTrue();
        assertThat(marked.isText(codec.end())).isTrue();
        position = marked.after(marked.after(position, 256), codec.end());
        assertThat(position.accepting).isFalse();
        assertThat(allows(marked, position, 256)).as("hm").isFalse();
        assertThat(allows(marked, position, codec.end())).isFalse();
        assertThat(allows(marked, position, '7')).isTrue();

        CompiledConstraint other = compiler.compiled(new AfterReasoning("<t>", "</t>", true, DIGITS));
        assertThat(allows(other, other.begin(), codec.end())).isFalse();
        assertThat(other.isText(codec.end())).isFalse();
    }

    @Test
    void aTokenMayHoldTheMarkAndWhatComesAfterIt() {
        ListCodec codec = ListCodec.of("x</think>7", "x</think>y");
        CompiledConstraint compiled = new ConstraintCompiler(codec, codec.vocabularySize())
                .compiled(new AfterReasoning("<think>", "</think>", true, DIGITS));
        assertThat(allows(compiled, compiled.begin(), 256)).isTrue();
        assertThat(allows(compiled, compiled.begin(), 257)).isFalse();
        assertThat(compiled.after(compiled.begin(), 256).accepting).isTrue();
    }

    @Test
    void whatIsThoughtIsWholeCharacters() {
        Language language = think(true, DIGITS);
        byte[] half = "ä".getBytes(StandardCharsets.UTF_8);
        assertThat(language.begins("ä")).isTrue();
        Automaton automaton = Constraints.automaton(new AfterReasoning("<think>", "</think>", true, DIGITS));
        Position cut = automaton.next(automaton.begin(), half[0] & 0xff);
        assertThat(automaton.isDead(automaton.next(cut, '<'))).isTrue();
        assertThat(List.of(cut.accepting, automaton.isDead(cut))).containsOnly(false);
    }

    private static boolean allows(CompiledConstraint compiled, Position position, int token) {
        return (compiled.mask(position)[token >>> 6] & 1L << token) != 0;
    }
}
