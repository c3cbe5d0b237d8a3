package org.maniple.it;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.maniple.api.checkpoint.Checkpoint;
import org.maniple.api.tensor.BlockCodec;
import org.maniple.api.tensor.DType;
import org.maniple.checkpoint.safetensors.SafetensorsFormat;

/** The blocks of the oracle: with scales that are zero, subnormal, negative, large. */
class BlockCodecTest {

    static Stream<DType> blockTypes() {
        return Stream.of(DType.values()).filter(DType::blocked);
    }

    @ParameterizedTest
    @MethodSource("blockTypes")
    void isDecodedBitForBit(DType dtype) {
        try (Checkpoint blocks = new SafetensorsFormat().open(Oracles.directory().resolve("gguf/dequant.safetensors"));
                Arena arena = Arena.ofConfined()) {
            MemorySegment raw = memory(blocks, dtype + ".raw", arena);
            MemorySegment expected = memory(blocks, dtype + ".f32", arena);
            int count = (int) (expected.byteSize() / Float.BYTES);
            MemorySegment decoded = arena.allocate(expected.byteSize());
            BlockCodec.of(dtype).decode(raw, 0, decoded, 0, count);
            assertThat(bits(decoded)).isEqualTo(bits(expected));
        }
    }

    private static MemorySegment memory(Checkpoint checkpoint, String name, Arena arena) {
        return checkpoint.map(name, 0, checkpoint.tensor(name).orElseThrow().bytes(), arena);
    }

    private static int[] bits(MemorySegment floats) {
        return floats.toArray(JAVA_INT_UNALIGNED);
    }
}
