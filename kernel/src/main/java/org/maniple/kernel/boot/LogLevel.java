package org.maniple.kernel.boot;

import java.util.Arrays;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.Logger;

/** What this process logs, its libraries included, which all end up in the JDK's logging. */
final class LogLevel {

    private LogLevel() {}

    /** Shows messages from a level of the configuration upwards. */
    static void set(String level) {
        Level least = switch (level) {
            case "debug" -> Level.FINE;
            case "warn" -> Level.WARNING;
            case "error" -> Level.SEVERE;
            default -> Level.INFO;
        };
        Logger root = Logger.getLogger("");
        root.setLevel(least);
        for (Handler handler : Arrays.asList(root.getHandlers())) {
            handler.setLevel(least);
        }
    }
}
