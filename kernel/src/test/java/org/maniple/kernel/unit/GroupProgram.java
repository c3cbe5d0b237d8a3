package org.maniple.kernel.unit;

import java.io.File;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A program that runs one shell script for each rank, as the launcher runs rank processes. */
final class GroupProgram {

    private GroupProgram() {}

    /** Arguments: how many milliseconds the others get, how many a rank gets to end, then a script for each rank. */
    public static void main(String[] arguments) throws InterruptedException {
        List<ProcessGroup.Command> commands = new ArrayList<>();
        for (int i = 2; i < arguments.length; i++) {
            commands.add(new ProcessGroup.Command(
                    i - 2, List.of("sh", "-c", arguments[i]), Map.of("TEST_RANK", String.valueOf(i - 2)), new File(".")));
        }
        var limits = new ProcessGroup.Limits(millis(arguments[0]), millis(arguments[1]));
        System.exit(new ProcessGroup(commands, limits, System.out, System.err).run());
    }

    private static Duration millis(String text) {
        return Duration.ofMillis(Long.parseLong(text));
    }
}
