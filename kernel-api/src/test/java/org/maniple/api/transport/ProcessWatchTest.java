package org.maniple.api.transport;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** What a process notices of others on its host. */
@Timeout(120)
@EnabledOnOs(OS.LINUX)
class ProcessWatchTest {

    private final LinkedBlockingQueue<String> heard = new LinkedBlockingQueue<>();
    private Process process;

    @BeforeEach
    void startProcess() throws Exception {
        process = new ProcessBuilder("sleep", "600").start();
    }

    @AfterEach
    void endProcess() {
        process.destroyForcibly();
    }

    private ProcessWatch<String> watch(HostProcess watched) {
        return ProcessWatch.start("watch", Map.of("it", watched), ProcessWatch.STOPPED,
                (key, how) -> heard.add("ended: " + key + " " + how),
                (key, how) -> heard.add("stopped: " + key + " " + how));
    }

    private HostProcess other() throws Exception {
        return HostProcess.of(process.pid()).orElseThrow();
    }

    private void signal(String name) throws Exception {
        assertThat(new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start().waitFor()).isZero();
    }

    @Test
    void aStoppedProcessIsToldOnceAndNotBeforeItHasBeenStoppedForAWhile() throws Exception {
        try (var _ = watch(other())) {
            assertThat(heard.poll(500, TimeUnit.MILLISECONDS)).isNull();
            long begin = System.nanoTime();
            signal("STOP");
            assertThat(heard.poll(30, TimeUnit.SECONDS))
                    .matches("stopped: it is stopped: its process has been in state T for \\d+ ms");
            assertThat(Duration.ofNanos(System.nanoTime() - begin)).isGreaterThanOrEqualTo(ProcessWatch.STOPPED);
            signal("KILL");
            assertThat(heard.poll(500, TimeUnit.MILLISECONDS)).isNull();
        }
    }

    @Test
    void aProcessThatHasEndedIsToldThoughNobodyHasAskedForItsExitCode() throws Exception {
        try (var _ = watch(other())) {
            signal("KILL");
            assertThat(heard.poll(30, TimeUnit.SECONDS)).isEqualTo("ended: it has ended: its process is gone");
        }
    }

    @Test
    void anotherProcessWithTheSameNumberIsNotTakenForIt() throws Exception {
        HostProcess now = other();
        try (var _ = watch(new HostProcess(now.boot(), now.processes(), now.process(), now.started() - 1))) {
            assertThat(heard.poll(30, TimeUnit.SECONDS)).isEqualTo("ended: it has ended: its process is gone");
        }
    }

    @Test
    void aClosedWatchTellsNothing() throws Exception {
        watch(other()).close();
        signal("KILL");
        assertThat(heard.poll(500, TimeUnit.MILLISECONDS)).isNull();
    }

    @Test
    void aProcessIsKnownByItsTextToOthersOfItsHostAndNameSpaceOnly() throws Exception {
        HostProcess here = HostProcess.here();
        HostProcess there = other();

        assertThat(HostProcess.parse(there.toString())).contains(there);
        assertThat(HostProcess.parse("")).isEmpty();
        assertThat(HostProcess.parse("a:b:c:d")).isEmpty();
        assertThat(here.seesOther(there)).isTrue();
        assertThat(here.seesOther(here)).isFalse();
        assertThat(here.seesOther(new HostProcess("another", there.processes(), there.process(), there.started()))).isFalse();
        assertThat(here.seesOther(new HostProcess(there.boot(), "1", there.process(), there.started()))).isFalse();
    }
}
