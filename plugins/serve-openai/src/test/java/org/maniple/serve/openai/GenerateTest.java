package org.maniple.serve.openai;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.maniple.api.engine.GenerationEvent.Stop;
import org.maniple.api.engine.Sampling;
import org.maniple.serve.openai.TestServer.Answer;

/** SGLang's {@code /generate}. */
@Timeout(60)
class GenerateTest {

    private final FakeEngine engine = new FakeEngine();
    private final TestServer server = new TestServer(engine);

    @AfterEach
    void close() {
        server.close();
    }

    private Answer generate(String fields) {
        return server.post("/generate", "{" + fields.replace('\'', '"') + "}");
    }

    private static List<Integer> bytes(String text) {
        return text.chars().boxed().toList();
    }

    @Test
    void answersWithEveryField() {
        Answer answer = generate("'text':'Hi','rid':'mine'");
        assertThat(answer.status()).as(answer.body()).isEqualTo(200);
        assertThat(answer.json().keySet()).containsExactly("text", "output_ids", "meta_info");
        assertThat(answer.at("text")).isEqualTo(FakeEngine.SAYS);
        assertThat((List<?>) answer.at("output_ids")).hasSize(FakeEngine.SAYS.getBytes(StandardCharsets.UTF_8).length);
        assertThat(((Map<?, ?>) answer.at("meta_info")).keySet().toString()).isEqualTo(
                "[id, finish_reason, prompt_tokens, weight_version, completion_tokens, cached_tokens, e2e_latency]");
        assertThat(answer.at("meta_info.id")).isEqualTo("mine");
        assertThat(answer.at("meta_info.finish_reason").toString()).isEqualTo("{type=stop, matched=33}");
        assertThat(answer.at("meta_info.prompt_tokens")).isEqualTo(3);
        assertThat(answer.at("meta_info.e2e_latency")).isInstanceOf(Double.class);
    }

    @Test
    void readsSamplingAsSglangSpellsIt() {
        generate("'input_ids':[72,105],'sampling_params':{'max_new_tokens':7,'min_new_tokens':2,'temperature':0.5,'top_k':-1,"
                + "'sampling_seed':9,'stop':'x','stop_token_ids':[3],'ignore_eos':true,'no_stop_trim':true,'regex':'a+'}");
        Sampling sampling = engine.submitted.element().request().sampling();
        assertThat(sampling.maxTokens()).isEqualTo(OptionalInt.of(7));
        assertThat(sampling.minTokens()).isEqualTo(2);
        assertThat(sampling.temperature()).isEqualTo(0.5);
        assertThat(sampling.seed()).isEqualTo(OptionalLong.of(9));
        assertThat(sampling.stop()).containsExactly("x");
        assertThat(sampling.stopTokenIds()).containsExactly(3);
        assertThat(sampling.ignoreEos() && sampling.includeStop() && sampling.constraint().isPresent()).isTrue();
        assertThat(engine.submitted.element().request().prompt()).containsExactly(72, 105);
        generate("'text':'x'");
        assertThat(engine.submitted.stream().skip(1).findFirst().orElseThrow().request().sampling().maxTokens()).hasValue(128);
    }

    @Test
    void showsLogprobsAsFrameworksIndexThem() {
        Answer answer = generate("'input_ids':[72,105,33],'return_logprob':true,'logprob_start_len':0,'top_logprobs_num':2,"
                + "'return_text_in_logprobs':true,'sampling_params':{'max_new_tokens':2}");
        assertThat(answer.at("meta_info.input_token_logprobs").toString())
                .isEqualTo("[[null, 72, H], [-0.5, 105, i], [-0.5, 33, !]]");
        assertThat(answer.at("meta_info.output_token_logprobs").toString()).isEqualTo("[[-0.5, 71, G], [-0.5, 114, r]]");
        assertThat(answer.at("meta_info.output_top_logprobs").toString())
                .isEqualTo("[[[-0.5, 71, G], [-1.5, 72, H]], [[-0.5, 114, r], [-1.5, 115, s]]]");
        assertThat(answer.at("meta_info.finish_reason").toString()).isEqualTo("{type=length, length=2}");
        Answer without = generate("'input_ids':[72,105],'return_logprob':true,'sampling_params':{'max_new_tokens':1}");
        assertThat(without.at("meta_info.input_token_logprobs").toString()).isEqualTo("[]");
        assertThat(without.at("meta_info.output_token_logprobs").toString()).isEqualTo("[[-0.5, 71, null]]");
        Answer later = generate(
                "'input_ids':[72,105],'return_logprob':true,'logprob_start_len':1,'sampling_params':{'max_new_tokens':1}");
        assertThat(later.at("meta_info.input_token_logprobs").toString()).isEqualTo("[[-0.5, 105, null]]");
    }

    @Test
    void streamsAllThatThereIsSoFar() {
        engine.says = "abc";
        List<Answer> chunks = generate("'text':'x','stream':true").chunks();
        assertThat(chunks.stream().map(chunk -> (String) chunk.at("text")).distinct().collect(Collectors.joining(" ")))
                .isEqualTo("a ab abc");
        assertThat(chunks.getFirst().at("meta_info.finish_reason")).isNull();
        assertThat(chunks.getLast().at("output_ids")).isEqualTo(bytes("abc"));
        assertThat(chunks.getLast().at("meta_info.finish_reason.type")).isEqualTo("stop");
        engine.behaviour = engine::die;
        assertThat(generate("'text':'x','stream':true").chunks().getLast().error()).containsEntry("code", 503);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', value = {"'text':['a','b'] | 2", "'input_ids':[[1],[2],[3]] | 3",
        "'text':['a'] | 1",
        "'text':'a','sampling_params':{'n':2} | 2"})
    void answersListsWithLists(String fields, int answers) {
        String body = generate(fields).body();
        assertThat(body).startsWith("[{\"text\":");
        assertThat(body.split("\"index\":", -1)).hasSize(answers + 1);
    }

    @Test
    void saysWhatStoppedIt() {
        engine.behaviour = engine.stopping(new Stop.Text("b"));
        assertThat(generate("'text':'x'").at("meta_info.finish_reason").toString()).isEqualTo("{type=stop, matched=b}");
        engine.behaviour = engine.stopping(new Stop.Token(5));
        assertThat(generate("'text':'x'").at("meta_info.finish_reason").toString()).isEqualTo("{type=stop, matched=5}");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', value = {"'rid':'a' | text", "'text':'x','input_ids':[1] | text",
        "'text':'x','sampling_params':{'temperature':-1} | temperature", "'text':'x','sampling_params':7 | sampling_params",
        "'text':'x','lora_path':'y' | lora_path", "'text':'x','sampling_params':{'stop_regex':'y'} | stop_regex",
        "'text':'x','logprob_start_len':-2 | logprob_start_len"})
    void refusesWhatItDoesNotKnow(String fields, String param) {
        Answer answer = generate(fields);
        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.error()).containsEntry("param", param);
    }
}
