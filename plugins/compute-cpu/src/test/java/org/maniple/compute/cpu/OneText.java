package org.maniple.compute.cpu;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.maniple.api.config.Settings;

/** Settings of which only one text is given. */
record OneText(String key, String value) implements Settings {

    @Override
    public boolean declared(String asked) {
        return has(asked);
    }

    @Override
    public boolean has(String asked) {
        return asked.equals(key);
    }

    @Override
    public boolean given(String asked) {
        return has(asked);
    }

    @Override
    public String source(String asked) {
        return "test";
    }

    @Override
    public String text(String asked) {
        return optionalText(asked).orElseThrow();
    }

    @Override
    public Optional<String> optionalText(String asked) {
        return has(asked) ? Optional.of(value) : Optional.empty();
    }

    @Override
    public int integer(String asked) {
        throw new UnsupportedOperationException(asked);
    }

    @Override
    public double number(String asked) {
        throw new UnsupportedOperationException(asked);
    }

    @Override
    public boolean flag(String asked) {
        throw new UnsupportedOperationException(asked);
    }

    @Override
    public long bytes(String asked) {
        throw new UnsupportedOperationException(asked);
    }

    @Override
    public Duration duration(String asked) {
        throw new UnsupportedOperationException(asked);
    }

    @Override
    public List<Integer> integers(String asked) {
        throw new UnsupportedOperationException(asked);
    }

    @Override
    public List<Double> numbers(String asked) {
        throw new UnsupportedOperationException(asked);
    }

    @Override
    public List<String> texts(String asked) {
        throw new UnsupportedOperationException(asked);
    }
}
