package org.maniple.serve.openai;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.maniple.api.config.Settings;

/** Settings for tests; what the map has counts as given. */
record MapSettings(Map<String, Object> values) implements Settings {

    @Override
    public boolean declared(String key) {
        return has(key);
    }

    @Override
    public boolean has(String key) {
        return values.containsKey(key);
    }

    @Override
    public boolean given(String key) {
        return has(key) && !values.containsKey("not-given:" + key);
    }

    @Override
    public String source(String key) {
        return "test";
    }

    @Override
    public int integer(String key) {
        return (Integer) values.get(key);
    }

    @Override
    public double number(String key) {
        return (Double) values.get(key);
    }

    @Override
    public boolean flag(String key) {
        return Boolean.TRUE.equals(values.get(key));
    }

    @Override
    public String text(String key) {
        return (String) values.get(key);
    }

    @Override
    public Optional<String> optionalText(String key) {
        return Optional.ofNullable((String) values.get(key));
    }

    @Override
    public long bytes(String key) {
        return ((Number) values.get(key)).longValue();
    }

    @Override
    public Duration duration(String key) {
        return (Duration) values.get(key);
    }

    @Override
    @SuppressWarnings("unchecked") // what the test gave
    public List<Integer> integers(String key) {
        return (List<Integer>) values.get(key);
    }

    @Override
    public List<Double> numbers(String key) {
        return List.of();
    }

    @Override
    @SuppressWarnings("unchecked") // what the test gave
    public List<String> texts(String key) {
        return (List<String>) values.get(key);
    }
}
