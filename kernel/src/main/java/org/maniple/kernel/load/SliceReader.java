package org.maniple.kernel.load;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongFunction;
import org.maniple.api.checkpoint.Checkpoint;
import org.maniple.api.checkpoint.CheckpointException;
import org.maniple.api.checkpoint.StoredTensor;
import org.maniple.api.graph.TensorView;

/** Reads slices: maps what can be used where it is stored, copies what cannot. Safe for use by several threads. */
final class SliceReader {

    /** A part of a stored tensor that is used where it is mapped. */
    private record Range(String tensor, long offset, long length) {}

    private final Checkpoint checkpoint;
    private final Arena arena;
    private final Mxfp4Decoder decoder = new Mxfp4Decoder();
    private final Map<Range, MemorySegment> mapped = new ConcurrentHashMap<>();
    private final LongAdder copiedBytes = new LongAdder();

    SliceReader(Checkpoint checkpoint, Arena arena) {
        this.checkpoint = checkpoint;
        this.arena = arena;
    }

    long mappedBytes() {
        return mapped.keySet().stream().mapToLong(Range::length).sum();
    }

    long copiedBytes() {
        return copiedBytes.sum();
    }

    StoredTensor stored(String name) {
        return checkpoint.tensor(name).orElseThrow(() -> new CheckpointException("tensor " + name + " is missing"));
    }

    /** The elements where they are mapped, if they are stored as the rank holds them, otherwise in memory. */
    MemorySegment elements(StoredSlice slice, LongFunction<MemorySegment> memory) {
        int size = slice.encoding().held().bytes();
        long first = slice.encoding() instanceof Encoding.Mxfp4 ? -1 : slice.layout().contiguous();
        if (slice.elementBytes() == 0) {
            return MemorySegment.NULL;
        }
        if (first >= 0) {
            var range = new Range(slice.tensor(), first * size, slice.elementBytes());
            return mapped.computeIfAbsent(range, r -> checkpoint.map(r.tensor(), r.offset(), r.length(), arena));
        }
        MemorySegment target = memory.apply(slice.elementBytes());
        copy(slice, target);
        return target;
    }

    /** The factors, if the slice has some. */
    Optional<MemorySegment> factors(StoredSlice slice, LongFunction<MemorySegment> memory) {
        return slice.scales().map(scales -> {
            if (slice.factorBytes() == 0) {
                return MemorySegment.NULL;
            }
            MemorySegment target = memory.apply(slice.factorBytes());
            expand(slice, scales, target);
            return target;
        });
    }

    /** Copies the elements. */
    void copy(StoredSlice slice, MemorySegment target) {
        if (slice.elementBytes() == 0) {
            return;
        }
        long[] span = slice.layout().span();
        try (Arena window = Arena.ofConfined()) {
            if (slice.encoding() instanceof Encoding.Mxfp4 mxfp4) {
                decode(slice, mxfp4.scales(), span, target, window);
            } else {
                int size = slice.encoding().held().bytes();
                MemorySegment source = checkpoint.map(slice.tensor(), span[0] * size, (span[1] - span[0]) * size, window);
                slice.layout().forEachRun((from, to, count) -> MemorySegment.copy(source, (from - span[0]) * size, target,
                        to * size, count * size));
            }
        }
        copiedBytes.add(slice.elementBytes());
    }

    private void decode(StoredSlice slice, String scales, long[] span, MemorySegment target, Arena window) {
        long firstByte = span[0] / 2;
        long firstScale = span[0] / TensorView.Mxfp4.BLOCK;
        MemorySegment pairs = checkpoint.map(slice.tensor(), firstByte, (span[1] + 1) / 2 - firstByte, window);
        MemorySegment factors = checkpoint.map(scales, firstScale,
                (span[1] + TensorView.Mxfp4.BLOCK - 1) / TensorView.Mxfp4.BLOCK - firstScale, window);
        slice.layout().forEachRun((from, to, count) -> decoder.decode(pairs, firstByte, factors, firstScale, from, count, target,
                to));
    }

    /** Writes the factors. */
    void expand(StoredSlice slice, ScaleLayout scales, MemorySegment target) {
        StoredTensor stored = stored(slice.tensor() + Encoding.Fp8.SUFFIX);
        try (Arena window = Arena.ofConfined()) {
            scales.expand(checkpoint.map(stored.name(), 0, stored.bytes(), window), stored.dtype(), target);
        }
        copiedBytes.add(slice.factorBytes());
    }
}
