package org.maniple.checkpoint.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class JsonOutputTest {

    private static String written(Object value) {
        return new String(JsonOutput.of(value), StandardCharsets.UTF_8);
    }

    @Test
    void valuesHaveCommasBetweenThem() {
        var map = new LinkedHashMap<String, Object>();
        map.put("a", List.of(1, 2L, -0.5, true, "x"));
        map.put("b", Map.of());
        map.put("c", Arrays.asList(null, List.of()));

        assertThat(written(map)).isEqualTo("{\"a\":[1,2,-0.5,true,\"x\"],\"b\":{},\"c\":[null,[]]}");
    }

    @Test
    void textsAreQuoted() {
        assertThat(written("\"\\/ \n\t\u0001é▁😀")).isEqualTo("\"\\\"\\\\/ \\u000a\\u0009\\u0001é▁😀\"");
    }

    @Test
    void numbersThatJsonDoesNotHaveAreTexts() {
        assertThat(written(List.of(Double.NaN, Double.NEGATIVE_INFINITY))).isEqualTo("[\"NaN\",\"-Infinity\"]");
    }

    @Test
    void whatIsWrittenPieceByPieceIsTheSame() {
        byte[] pieces = JsonOutput.of(json -> {
            json.beginObject();
            json.name("a");
            json.beginArray();
            json.value(1);
            json.value(Map.of("b", "c"));
            json.endArray();
            json.name("d");
            json.beginObject();
            json.endObject();
            json.endObject();
        });

        assertThat(new String(pieces, StandardCharsets.UTF_8)).isEqualTo("{\"a\":[1,{\"b\":\"c\"}],\"d\":{}}");
    }

    @Test
    void whatJsonHasNoWordsForIsRefused() {
        assertThatThrownBy(() -> written(new Object())).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("Object");
    }
}
