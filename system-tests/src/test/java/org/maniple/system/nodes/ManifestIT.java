package org.maniple.system.nodes;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.maniple.system.Distribution;
import org.maniple.system.UnitProcess;
import tools.jackson.databind.JsonNode;
import tools.jackson.dataformat.yaml.YAMLMapper;

/** The manifests for Kubernetes are consistent in themselves, and place the pods that they describe. */
class ManifestIT {

    private static final YAMLMapper YAML = new YAMLMapper();
    private static final Path EXAMPLES = Path.of(System.getProperty("maniple.top", ".."), "examples", "kubernetes");

    @TempDir
    Path folder;

    @Test
    void podsOfTheStatefulSetStartTogetherAndFindEachOther() {
        JsonNode set = only("statefulset.yaml", "StatefulSet");
        JsonNode meeting = named("statefulset.yaml", "Service", set.at("/spec/serviceName").asString());

        assertThat(set.at("/spec/podManagementPolicy").asString()).isEqualTo("Parallel");
        assertThat(meeting.at("/spec/clusterIP").asString()).isEqualTo("None");
        assertThat(meeting.at("/spec/publishNotReadyAddresses").asBoolean()).isTrue();
        assertThat(meeting.at("/spec/selector")).isEqualTo(set.at("/spec/selector/matchLabels"));
        assertThat(set.at("/spec/template/metadata/labels")).isEqualTo(set.at("/spec/selector/matchLabels"));
        assertThat(environment(set.at("/spec/template"), 0).get("MASTER_ADDRESS"))
                .isEqualTo(set.at("/metadata/name").asString() + "-0." + meeting.at("/metadata/name").asString());
    }

    @Test
    void clientsReachOnlyThePodThatServes() {
        assertThat(named("statefulset.yaml", "Service", "maniple").at("/spec/selector/statefulset.kubernetes.io~1pod-name")
                .asString())
                .isEqualTo("maniple-0");
        JsonNode leaders = only("leaderworkerset.yaml", "LeaderWorkerSet")
                .at("/spec/leaderWorkerTemplate/leaderTemplate/metadata/labels");
        assertThat(named("leaderworkerset.yaml", "Service", "maniple").at("/spec/selector")).isEqualTo(leaders);
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "statefulset.yaml StatefulSet /spec/template",
        "leaderworkerset.yaml LeaderWorkerSet /spec/leaderWorkerTemplate/leaderTemplate",
        "leaderworkerset.yaml LeaderWorkerSet /spec/leaderWorkerTemplate/workerTemplate"})
    void everyPodIsProbedAtItsHealthPortAndGetsItsSecretFromASecret(String where) {
        JsonNode container = container(template(where));
        int healthPort = YAML.readTree(only(file(where), "ConfigMap").at("/data/unit.yaml").asString()).get("health-port")
                .asInt();

        assertThat(container.at("/livenessProbe/httpGet/path").asString()).isEqualTo("/livez");
        assertThat(container.at("/readinessProbe/httpGet/path").asString()).isEqualTo("/ready");
        assertThat(container.at("/livenessProbe/httpGet/port").asString()).isEqualTo("health");
        assertThat(container.at("/readinessProbe/httpGet/port").asString()).isEqualTo("health");
        assertThat(container.get("ports").valueStream().filter(port -> port.get("name").asString().equals("health"))
                .map(port -> port.get("containerPort").asInt())).containsExactly(healthPort);
        assertThat(container.get("env").valueStream()
                .filter(variable -> variable.get("name").asString().equals("MANIPLE_UNIT_SECRET"))
                .map(variable -> variable.at("/valueFrom/secretKeyRef/name").asString())).containsExactly("maniple-unit");
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "0 statefulset.yaml StatefulSet /spec/template",
        "1 statefulset.yaml StatefulSet /spec/template",
        "0 leaderworkerset.yaml LeaderWorkerSet /spec/leaderWorkerTemplate/leaderTemplate",
        "1 leaderworkerset.yaml LeaderWorkerSet /spec/leaderWorkerTemplate/workerTemplate"})
    void theCommandOfAPodIsPlacedByTheVariablesThatItGets(String which) throws IOException {
        int pod = Integer.parseInt(which.substring(0, 1));
        String where = which.substring(2);
        JsonNode command = container(template(where)).get("command");
        assertThat(command.get(1).asString()).isEqualTo("launch");
        Path unit = Files.writeString(folder.resolve("unit.yaml"),
                only(file(where), "ConfigMap").at("/data/unit.yaml").asString());
        Map<String, String> variables = environment(template(where), pod);
        if (where.contains("leaderworkerset")) {
            variables.putAll(Map.of("LWS_LEADER_ADDRESS", "maniple-0.maniple.default", "LWS_GROUP_SIZE", "2", "LWS_WORKER_INDEX",
                    "" + pod));
        }

        var arguments = List.of(command.get(1).asString(), unit.toString(), "--model", "models/demo-moe", "--dry-run");
        UnitProcess dry = UnitProcess.start(Distribution.find().command(arguments), variables, folder, which);

        assertThat(dry.exitCode(Duration.ofSeconds(60))).as(dry.output().text()).isZero();
        assertThat(dry.output().text())
                .containsPattern("(?m)^node " + pod + " of 2 \\(\\w+\\), ranks " + pod + " to " + pod + "$")
                .containsPattern("(?m)^ranks meet at maniple-0\\.maniple\\S*:29501 \\(");
    }

    private static String file(String where) {
        return where.split(" ")[0];
    }

    private static JsonNode template(String where) {
        String[] words = where.split(" ");
        return only(words[0], words[1]).at(words[2]);
    }

    private static JsonNode container(JsonNode template) {
        return template.at("/spec/containers/0");
    }

    /** What Kubernetes would put into the environment of a pod on this machine. */
    private static Map<String, String> environment(JsonNode template, int pod) {
        var variables = new HashMap<String, String>();
        for (JsonNode variable : container(template).get("env")) {
            String field = variable.at("/valueFrom/fieldRef/fieldPath").asString("");
            variables.put(variable.get("name").asString(), switch (field) {
                case "metadata.labels['apps.kubernetes.io/pod-index']" -> "" + pod;
                case "status.podIP" -> "127.0.0.1";
                case "" -> variable.path("value").asString("s".repeat(32));
                default -> throw new AssertionError("unknown field " + field);
            });
        }
        return variables;
    }

    private static JsonNode only(String file, String kind) {
        List<JsonNode> found = documents(file).stream().filter(document -> document.get("kind").asString().equals(kind)).toList();
        assertThat(found).as(kind + " in " + file).hasSize(1);
        return found.getFirst();
    }

    private static JsonNode named(String file, String kind, String name) {
        return documents(file).stream().filter(document -> document.get("kind").asString().equals(kind)
                && document.at("/metadata/name").asString().equals(name)).findFirst().orElseThrow();
    }

    private static List<JsonNode> documents(String file) {
        try (var documents = YAML.readerFor(JsonNode.class).<JsonNode>readValues(Files.readString(EXAMPLES.resolve(file)))) {
            return documents.readAll();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
