package org.maniple.kernel.unit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.PrintStream;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

@Timeout(180)
@EnabledOnOs({OS.LINUX, OS.MAC})
class ProcessGroupTest {

    private static final String PATIENT = "60000";
    private static final String IMPATIENT = "300";

    @Test
    void theFirstRankPrintsAsItIsAndOthersWithTheirNumber() throws Exception {
        try (ForkedJava group = new ForkedJava(GroupProgram.class, PATIENT, PATIENT,
                "echo first; echo problem >&2", "printf 'half'; sleep 0.2; echo ' line'; printf open",
                "echo \"I am $TEST_RANK\" >&2")) {
            assertThat(group.exitCode()).isZero();
            assertThat(group.out).containsExactlyInAnyOrder("first", "[rank 1] half line", "[rank 1] open");
            assertThat(group.err).containsExactlyInAnyOrder("problem", "[rank 2] I am 2");
        }
    }

    @Test
    void linesOfSeveralRanksDoNotMix() throws Exception {
        String chatter = "i=0; while [ $i -lt 300 ]; do printf abc; printf 'def\\n'; i=$((i+1)); done";
        try (ForkedJava group = new ForkedJava(GroupProgram.class, PATIENT, PATIENT, "true", chatter, chatter)) {
            assertThat(group.exitCode()).isZero();
            assertThat(group.out).hasSize(600).containsOnly("[rank 1] abcdef", "[rank 2] abcdef");
        }
    }

    @Test
    void theExitCodeIsThatOfTheFirstRankThatFails() throws Exception {
        try (ForkedJava group = new ForkedJava(GroupProgram.class, PATIENT, PATIENT, "sleep 1; exit 1", "exit 2", "sleep 1")) {
            assertThat(group.exitCode()).isEqualTo(2);
            assertThat(group.err).anyMatch(line -> line.matches(
                    "rank 1 \\(process \\d+\\) ended with exit code 2(; ranks \\[.*] get 60 s to end by themselves)?"));
        }
    }

    @Test
    void aKilledRankIsNamedWithTheSignalAndTheOthersAreEndedAfterTheirTime() throws Exception {
        try (ForkedJava group = new ForkedJava(GroupProgram.class, IMPATIENT, PATIENT,
                "echo zero $$; exec sleep 600", "echo one $$; exec sleep 600")) {
            long zero = Long.parseLong(group.line(line -> line.startsWith("zero ")).substring(5));
            long one = Long.parseLong(group.line(line -> line.startsWith("[rank 1] one ")).substring(13));

            new ProcessBuilder("kill", "-9", String.valueOf(one)).start().waitFor();

            assertThat(group.exitCode()).isEqualTo(1);
            assertThat(group.err)
                    .contains("rank 1 (process " + one
                            + ") was killed by SIGKILL (by hand, or because memory ran out: see the kernel's log)"
                            + "; ranks [0] get 300 ms to end by themselves")
                    .contains("ranks [0] did not end within 300 ms; ending them");
            assertThat(alive(zero)).isFalse();
        }
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void aStoppedRankIsEndedSoThatRanksOnOtherHostsLoseIt() throws Exception {
        try (ForkedJava group = new ForkedJava(GroupProgram.class, IMPATIENT, PATIENT, "exec sleep 600",
                "echo one $$; exec sleep 600")) {
            long one = Long.parseLong(group.line(line -> line.startsWith("[rank 1] one ")).substring(13));

            new ProcessBuilder("kill", "-STOP", String.valueOf(one)).start().waitFor();

            assertThat(group.exitCode()).isEqualTo(1);
            assertThat(group.err).anyMatch(line -> line.matches("rank 1 \\(process " + one
                    + "\\) is stopped: its process has been in state T for \\d+ ms; ending it"));
            assertThat(alive(one)).isFalse();
        }
    }

    @Test
    void ranksThatEndByThemselvesAfterALossAreNotDisturbed() throws Exception {
        try (ForkedJava group = new ForkedJava(GroupProgram.class, PATIENT, PATIENT, "sleep 1; echo lingered; exit 1",
                "kill -9 $$")) {
            assertThat(group.exitCode()).isEqualTo(1);
            assertThat(group.out).containsExactly("lingered");
            assertThat(group.err).noneMatch(line -> line.contains("ending them"));
        }
    }

    @Test
    void aRankThatIgnoresThePoliteRequestIsKilled() throws Exception {
        try (ForkedJava group = new ForkedJava(GroupProgram.class, IMPATIENT, IMPATIENT,
                "trap '' TERM; echo deaf $$; while :; do sleep 0.1; done", "sleep 1; exit 7")) {
            long deaf = Long.parseLong(group.line(line -> line.startsWith("deaf ")).substring(5));

            assertThat(group.exitCode()).isEqualTo(7);
            assertThat(alive(deaf)).isFalse();
        }
    }

    @Test
    void aRequestToEndIsPassedOnAndLastWordsAreHeard() throws Exception {
        String script = "trap 'echo bye; exit 0' TERM; echo up $$; while :; do sleep 0.1; done";
        try (ForkedJava group = new ForkedJava(GroupProgram.class, PATIENT, PATIENT, script, script)) {
            long zero = Long.parseLong(group.line(line -> line.startsWith("up ")).substring(3));
            long one = Long.parseLong(group.line(line -> line.startsWith("[rank 1] up ")).substring(12));

            // Not Process.destroy(), which would close the pipe on which the last words come.
            group.process.toHandle().destroy();

            assertThat(group.line("[rank 1] bye"::equals)).isNotNull();
            assertThat(group.exitCode()).isEqualTo(143);
            assertThat(alive(zero)).isFalse();
            assertThat(alive(one)).isFalse();
        }
    }

    @Test
    void noRankStaysBehindWhenTheLauncherIsKilled() throws Exception {
        String watching = "exec " + String.join(" ", ForkedJava.command(WatchingProgram.class));
        try (ForkedJava group = new ForkedJava(GroupProgram.class, PATIENT, PATIENT, watching, watching)) {
            long zero = Long.parseLong(group.line(line -> line.startsWith("watching ")).substring(9));
            long one = Long.parseLong(group.line(line -> line.startsWith("[rank 1] watching ")).substring(18));
            assertThat(alive(zero) && alive(one)).isTrue();

            group.process.toHandle().destroyForcibly();

            TestUnit.until(() -> !alive(zero) && !alive(one));
        }
    }

    @Test
    void aCommandThatDoesNotExistIsNamed() {
        var group = new ProcessGroup(
                List.of(new ProcessGroup.Command(3, List.of("/no/such/java"), Map.of(), new File("."))),
                new ProcessGroup.Limits(Duration.ofSeconds(1), Duration.ofSeconds(1)),
                new PrintStream(new ByteArrayOutputStream()),
                new PrintStream(new ByteArrayOutputStream()));

        assertThatThrownBy(group::run).hasMessageStartingWith("rank 3 cannot be started with the command [/no/such/java]: ");
    }

    @Test
    void signalsHaveNames() {
        assertThat(ProcessGroup.describe(139)).isEqualTo("was killed by SIGSEGV");
        assertThat(ProcessGroup.describe(128 + 40)).isEqualTo("was killed by signal 40");
        assertThat(ProcessGroup.describe(1)).isEqualTo("ended with exit code 1");
    }

    private static boolean alive(long process) {
        // A killed process whose parent is gone may wait to be collected; it does not count.
        return ProcessHandle.of(process).filter(ProcessHandle::isAlive).isPresent();
    }
}
