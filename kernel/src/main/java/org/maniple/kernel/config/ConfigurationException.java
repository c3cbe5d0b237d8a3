package org.maniple.kernel.config;

import java.io.Serial;
import java.util.ArrayList;
import java.util.List;
import org.maniple.api.ManipleException;

/** A configuration is wrong. Carries every mistake that was found; commands end with exit code 2. */
public final class ConfigurationException extends ManipleException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final ArrayList<String> problems;

    /**
     * All mistakes at once.
     *
     * @param problems a line for each, with source, key and remedy
     */
    public ConfigurationException(List<String> problems) {
        super((problems.size() == 1 ? "1 mistake" : problems.size() + " mistakes") + " in the configuration:\n  "
                + String.join("\n  ", problems));
        this.problems = new ArrayList<>(problems);
    }

    /**
     * The mistakes.
     *
     * @return a line for each
     */
    public List<String> problems() {
        return List.copyOf(problems);
    }
}
