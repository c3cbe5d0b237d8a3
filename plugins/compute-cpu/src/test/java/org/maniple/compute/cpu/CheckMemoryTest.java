package org.maniple.compute.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.maniple.api.tensor.BlockRows;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.WeightLayout;

class CheckMemoryTest {

    private static final String SUBJECT = "kernels 1 of 2; java 25; model name=A";
    private static final String CHECK = "products avx2 q4_0";

    @TempDir
    private Path folder;

    private Path file() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.findFirst().orElseThrow();
        }
    }

    @Test
    void aCheckThatHasBeenPassedIsKnownToTheNextStart() {
        CheckMemory.in(folder, SUBJECT).pass(CHECK);

        CheckMemory later = CheckMemory.in(folder, SUBJECT);
        assertThat(later.passed(CHECK)).isTrue();
        assertThat(later.passed("products avx2 q8_0")).isFalse();
    }

    @Test
    void severalStartsAddToIt() {
        CheckMemory.in(folder, SUBJECT).pass(CHECK);
        CheckMemory.in(folder, SUBJECT).pass("functions avx2");

        assertThat(CheckMemory.in(folder, SUBJECT).passed(CHECK)).isTrue();
        assertThat(CheckMemory.in(folder, SUBJECT).passed("functions avx2")).isTrue();
    }

    @Test
    void anotherProcessorBuildOrJavaChecksForItself() {
        CheckMemory.in(folder, SUBJECT).pass(CHECK);

        assertThat(CheckMemory.in(folder, SUBJECT.replace("=A", "=B")).passed(CHECK)).isFalse();
    }

    @Test
    void theSubjectInTheFileCountsAndNotItsName() throws IOException {
        CheckMemory.in(folder, SUBJECT).pass(CHECK);
        Path of = file();
        CheckMemory.in(folder, "another").pass("functions avx2");
        try (Stream<Path> files = Files.list(folder)) {
            Path other = files.filter(f -> !f.equals(of)).findFirst().orElseThrow();
            Files.write(other, Files.readAllBytes(of));
        }

        assertThat(CheckMemory.in(folder, "another").passed(CHECK)).isFalse();
    }

    @Test
    void aDamagedFileIsNotBelieved() throws IOException {
        CheckMemory.in(folder, SUBJECT).pass(CHECK);
        byte[] whole = Files.readAllBytes(file());
        for (int at = 0; at < whole.length - 1; at++) {
            byte[] damaged = whole.clone();
            damaged[at] ^= 1;
            Files.write(file(), damaged);
            assertThat(CheckMemory.in(folder, SUBJECT).passed(CHECK)).as("byte " + at).isFalse();
        }
    }

    @Test
    void halfAFileIsNotBelieved() throws IOException {
        CheckMemory.in(folder, SUBJECT).pass(CHECK);
        byte[] whole = Files.readAllBytes(file());
        for (int length = 0; length < whole.length - 2; length++) {
            Files.write(file(), java.util.Arrays.copyOf(whole, length));
            assertThat(CheckMemory.in(folder, SUBJECT).passed(CHECK)).as(length + " bytes").isFalse();
        }
    }

    @Test
    void whereNothingCanBeWrittenEveryStartChecks() throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "");
        CheckMemory memory = CheckMemory.in(file, SUBJECT);
        memory.pass(CHECK);

        assertThat(memory.passed(CHECK)).isTrue();
        assertThat(CheckMemory.in(file, SUBJECT).passed(CHECK)).isFalse();
    }

    @Test
    void noFileIsLeftWhereNothingIsToBeRemembered() throws IOException {
        CheckMemory.none().pass(CHECK);

        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void kernelsThatDisagreeAreNotRemembered() throws IOException {
        NativeLibrary library = switch (NativeLibrary.load()) {
            case NativeLibrary.Loaded(NativeLibrary loaded) -> loaded;
            case NativeLibrary.Missing(String reason) -> abort("no native kernels: " + reason);
        };
        assumeTrue(!library.variants().isEmpty(), "this processor can run none of the native kernels");
        List<String> messages = new ArrayList<>();
        CheckMemory memory = CheckMemory.in(folder, SUBJECT);
        var wrong = new NativeProducts(new NativeKernels(library, library.variants().getFirst()), Optional.empty(),
                new OtherProducts(),
                memory, messages::add);

        wrong.layout(new WeightLayout.Weight(DType.Q8_0, 16, BlockRows.whole(256), List.of(WeightLayout.Use.CONTRACT)),
                new Precision(true, false));

        assertThat(messages).hasSize(1);
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void aProcessorIsToldByModelAndFeatures() throws IOException {
        Path info = Files.writeString(folder.resolve("cpuinfo"), """
                processor\t: 0
                model name\t: Some CPU
                cpu MHz\t\t: 2000.000
                flags\t\t: fpu avx2

                processor\t: 1
                model name\t: Some CPU
                """);

        assertThat(Processor.description(info)).contains("model name=Some CPU; flags=fpu avx2");
        assertThat(Processor.description(folder.resolve("nothing"))).isEmpty();
    }
}
