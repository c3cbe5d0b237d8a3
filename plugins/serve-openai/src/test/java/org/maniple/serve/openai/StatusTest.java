package org.maniple.serve.openai;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.maniple.api.engine.RefusedException;
import org.maniple.api.engine.UnitStatus.StepTimes;
import org.maniple.serve.openai.TestServer.Answer;

class StatusTest {

    private final FakeEngine engine = new FakeEngine();
    private final TestServer server = new TestServer(engine);

    @AfterEach
    void close() {
        server.close();
    }

    @Test
    void isHealthyWithoutWordsWhileEveryRankIsReady() {
        assertThat(server.get("/health").status()).isEqualTo(200);
        assertThat(server.get("/health").body()).isEmpty();
        assertThat(server.get("/ping").status()).isEqualTo(200);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/health", "/ping", "/ready", "/readyz", "/health/ready"})
    void saysWhyItIsNotReady(String path) {
        engine.troubles = List.of("rank 1 on node-b is gone: connection closed");
        Answer answer = server.get(path);
        assertThat(answer.status()).isEqualTo(503);
        assertThat(answer.json().toString())
                .isEqualTo(
                        "{status=unavailable, ready=false, reasons=[rank 1 on node-b is gone: connection closed], epoch=3, step_age_seconds=null}");
        assertThat(server.get("/livez").status()).as("the process lives all the same").isEqualTo(200);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/ready", "/readyz", "/health/ready"})
    void saysThatItIsReady(String path) {
        assertThat(server.get(path).json().toString())
                .isEqualTo("{status=ready, ready=true, reasons=[], epoch=3, step_age_seconds=null}");
    }

    @Test
    void listsTheModelUnderEachOfItsNames() {
        Answer answer = server.get("/v1/models");
        assertThat(answer.at("object")).isEqualTo("list");
        assertThat(((Map<?, ?>) answer.at("data.0")).keySet().toString())
                .isEqualTo("[id, object, created, owned_by, root, parent, max_model_len, permission]");
        assertThat(answer.at("data.0.id")).isEqualTo("/models/toy");
        assertThat(answer.at("data.1.id")).isEqualTo("toy");
        assertThat(answer.at("data.1.max_model_len")).isEqualTo(FakeEngine.CONTEXT);
        assertThat(answer.at("data.0.permission.0.object")).isEqualTo("model_permission");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v1/models/toy", "/v1/models//models/toy", "/v1/models/%2Fmodels%2Ftoy"})
    void showsOneModel(String path) {
        assertThat(server.get(path).at("object")).isEqualTo("model");
    }

    @Test
    void knowsNoOtherModel() {
        Answer answer = server.get("/v1/models/other");
        assertThat(answer.status()).isEqualTo(404);
        assertThat(answer.error().toString())
                .isEqualTo("{message=The model `other` does not exist., type=NotFoundError, param=model, code=404}");
    }

    @Test
    void saysItsVersionAndLoad() {
        assertThat(server.get("/version").json()).isEqualTo(Map.of("version", "0.1.0"));
        assertThat(server.get("/load").json()).isEqualTo(Map.of("server_load", 3));
    }

    @Test
    void saysTheLoadOfEachGroupAsSglangDoes() {
        assertThat(server.get("/get_load").body()).isEqualTo("""
                [{"dp_rank":0,"num_reqs":2,"num_waiting_reqs":0,"num_tokens":48},\
                {"dp_rank":1,"num_reqs":1,"num_waiting_reqs":1,"num_tokens":16}]""");
        assertThat(server.get("/v1/loads").body()).isEqualTo(
                """
                        {"version":"0.1.0","dp_rank_count":2,"loads":[\
                        {"dp_rank":0,"num_running_reqs":2,"num_waiting_reqs":0,"num_total_reqs":2,"num_used_tokens":48,"max_total_num_tokens":512,"token_usage":0.09375},\
                        {"dp_rank":1,"num_running_reqs":0,"num_waiting_reqs":1,"num_total_reqs":1,"num_used_tokens":16,"max_total_num_tokens":512,"token_usage":0.03125}]}""");
    }

    @Test
    void showsHowEvenlyTheRanksAreUsed() {
        engine.times = new StepTimes(8, 6_000_000_000L, 2_000_000_000L, 1_000_000_000L);
        Answer answer = server.get("/v1/cluster/plan");
        assertThat(answer.at("ranks.1.weight_bytes")).isEqualTo(1001);
        assertThat(answer.at("stages.0.slowest_rank")).isEqualTo(0);
        assertThat(answer.at("stages.0.imbalance_ratio")).as("one of two ranks computed").isEqualTo(2.0);
    }

    @Test
    void checksItsHealthByGeneratingAToken() {
        assertThat(server.get("/health_generate").status()).isEqualTo(200);
        assertThat(engine.submitted.element().request().sampling().maxTokens()).hasValue(1);

        engine.behaviour = engine::die;
        assertThat(server.get("/health_generate").status()).isEqualTo(503);

        engine.refusal = Optional.of(new RefusedException(RefusedException.Reason.UNAVAILABLE, "The unit is shutting down"));
        assertThat(server.get("/health_generate").message()).isEqualTo("No token can be generated: The unit is shutting down");
    }

    @Test
    void showsTheUnit() {
        Answer answer = server.get("/v1/cluster");
        assertThat(answer.body()).isEqualTo(
                """
                        {"model":"/models/toy","ready":true,"reasons":[],"epoch":3,"ranks":[\
                        {"rank":0,"host":"node-a","pid":41,"coordinates":%s,"state":"ready","weight_bytes":1000,"kv_bytes":512,"kv_blocks":32,"referenced_kv_blocks":3,"resident_bytes":4096,"dispatched_bytes":300,"combined_bytes":200,\
                        "steps":{"count":7,"halved":3,"compute_seconds":5.0,"communication_seconds":2.0,"waiting_seconds":1.0}},\
                        {"rank":1,"host":"node-b","pid":42,"coordinates":%s,"state":"ready","weight_bytes":1001,"kv_bytes":0,"kv_blocks":32,"referenced_kv_blocks":3,"resident_bytes":0,"dispatched_bytes":0,"combined_bytes":0,\
                        "steps":{"count":0,"halved":0,"compute_seconds":0.0,"communication_seconds":0.0,"waiting_seconds":0.0}}],\
                        "links":[{"from":0,"to":1,"path":"tcp eth0 10.0.0.2","sent_bytes":77}],"requests":{"running":2,"waiting":1},\
                        "kv_blocks":{"total":64,"free":60},"homes":[\
                        {"home":0,"running":2,"waiting":0,"admitted":9,"kv_blocks":32,"free_kv_blocks":29},\
                        {"home":1,"running":0,"waiting":1,"admitted":8,"kv_blocks":32,"free_kv_blocks":31}],"configuration":{"block-size":"16","tensor-parallel-size":"2"}}"""
                        .formatted(
                                coordinates(answer, 0), coordinates(answer, 1)));
        assertThat(server.get("/v1/cluster/ranks").json().keySet()).containsExactly("ranks");
        assertThat(server.get("/v1/cluster/links").json().keySet()).containsExactly("links");
    }

    @Test
    void showsWhereExpertsAre() {
        assertThat(server.get("/v1/cluster/experts").body()).isEqualTo(
                """
                        {"rebalances":true,"rounds":2,"abandoned_rounds":1,"layers":[\
                        {"layer":1,"version":3,"ranks":[{"rank":0,"experts":[2,0]},{"rank":1,"experts":[1,2]}],"loads":[4,4,8],"balancedness":0.75},\
                        {"layer":2,"version":0,"ranks":[{"rank":0,"experts":[0,1]},{"rank":1,"experts":[2,0]}],"loads":null,"balancedness":null}]}""");
    }

    private static String coordinates(Answer answer, int rank) {
        // A Map.of has no order of its own, so neither has the answer.
        return answer.at("ranks." + rank + ".coordinates").toString().replaceAll("(\\w+)=", "\"$1\":").replace(", ", ",");
    }

    @Test
    void showsTheServerWithoutItsSecrets() {
        Answer answer = server.get("/server_info");
        assertThat(answer.json().keySet())
                .containsExactly("version", "model", "architecture", "max_model_len", "vocab_size", "world_size",
                        "configuration");
        assertThat(answer.body()).doesNotContain("secret");
        assertThat(server.get("/get_server_info").body()).isEqualTo(answer.body());
        assertThat(server.get("/model_info").json().toString()).isEqualTo(
                "{model_path=/models/toy, served_model_name=/models/toy, is_generation=true, max_context_length=256}");
    }

    @Test
    void tokenizes() {
        assertThat(server.post("/tokenize", "{\"prompt\":\"Hi\"}").json().toString())
                .isEqualTo("{count=3, max_model_len=256, tokens=[256, 72, 105], token_strs=null}");
        assertThat(server.post("/tokenize", "{\"prompt\":\"Hi\",\"add_special_tokens\":false,\"return_token_strs\":true}").json()
                .toString())
                .isEqualTo("{count=2, max_model_len=256, tokens=[72, 105], token_strs=[H, i]}");
        assertThat(server.post("/tokenize", TestServer.chatBody("")).at("count")).isEqualTo(26);
    }

    @Test
    void detokenizes() {
        assertThat(server.post("/detokenize", "{\"tokens\":[72,105]}").json()).isEqualTo(Map.of("prompt", "Hi", "text", "Hi"));
        assertThat(server.post("/v1/detokenize", "{\"tokens\":[72]}").at("text")).isEqualTo("H");
        assertThat(server.post("/v1/tokenize", "{\"prompt\":\"Hi\"}").at("count")).isEqualTo(3);
        assertThat(server.post("/detokenize", "{\"tokens\":[258]}").status()).isEqualTo(400);
    }
}
