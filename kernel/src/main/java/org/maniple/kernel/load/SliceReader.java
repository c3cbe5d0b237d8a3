package org.maniple.kernel.load;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import org.maniple.api.checkpoint.CheckpointException;
import org.maniple.api.checkpoint.StoredTensor;
import org.maniple.api.graph.TensorView;
import org.maniple.api.tensor.BlockCodec;
import org.maniple.api.tensor.DType;

/** Reads slices: maps what can be used where it is stored, copies what cannot. Safe for use by several threads. */
final class SliceReader {

    /** A part of a stored tensor that is used where it is mapped. */
    private record Range(String tensor, long offset, long length) {}

    /** Bytes that a thread converts at once, about. */
    private static final long RUN_BYTES = 1 << 20;

    private final WeightSource source;
    private final int threads;
    private final Arena arena;
    private final Mxfp4Decoder decoder = new Mxfp4Decoder();
    private final Map<Range, MemorySegment> mapped = new ConcurrentHashMap<>();
    private final LongAdder copiedBytes = new LongAdder();

    /**
     * @param threads how many convert at the same time
     */
    SliceReader(WeightSource source, Arena arena, int threads) {
        this.source = source;
        this.threads = threads;
        this.arena = arena;
    }

    long mappedBytes() {
        return mapped.keySet().stream().mapToLong(Range::length).sum();
    }

    long copiedBytes() {
        return copiedBytes.sum();
    }

    StoredTensor stored(String name) {
        return source.tensor(name).orElseThrow(() -> new CheckpointException("tensor " + name + " is missing"));
    }

    /** The elements where they are mapped, if they are stored as the rank holds them, otherwise in memory. */
    MemorySegment elements(StoredSlice slice, HeldWeights held) {
        if (slice.elementBytes() == 0) {
            return MemorySegment.NULL;
        }
        long first = slice.contiguous();
        if (first >= 0 && source.converted(slice.tensor()).isEmpty()) {
            var range = new Range(slice.tensor(), first, slice.elementBytes());
            return mapped.computeIfAbsent(range, r -> source.map(r.tensor(), r.offset(), r.length(), arena));
        }
        return held.hold(slice.elementBytes(), target -> copy(slice, target));
    }

    /** The factors, if the slice has some. */
    Optional<MemorySegment> factors(StoredSlice slice, HeldWeights held) {
        return slice.scales().map(scales -> {
            if (slice.factorBytes() == 0) {
                return MemorySegment.NULL;
            }
            return held.hold(slice.factorBytes(), target -> expand(slice, scales, target));
        });
    }

    /** Copies the elements. */
    void copy(StoredSlice slice, MemorySegment target) {
        read(slice, target);
        copiedBytes.add(slice.elementBytes());
    }

    /** Copies the elements to where they do not stay. */
    void read(StoredSlice slice, MemorySegment target) {
        if (slice.elementBytes() == 0) {
            return;
        }
        Optional<ConvertedTensor> converted = source.converted(slice.tensor());
        if (converted.isPresent() && !(slice.encoding() instanceof Encoding.DecodedBlocks)) {
            convert(slice, converted.get(), target);
            return;
        }
        try (Arena window = Arena.ofConfined()) {
            switch (slice.encoding()) {
                case Encoding.Mxfp4 mxfp4 -> decode(slice, mxfp4.scales(), slice.layout().span(), target, window);
                case Encoding.Plain plain -> copyElements(slice, plain.held().bytes(), target, window);
                case Encoding.Fp8 fp8 -> copyElements(slice, fp8.held().bytes(), target, window);
                case Encoding.Blocks blocks -> copyBlocks(slice, slice.blocks().orElseThrow(), target, window);
                case Encoding.DecodedBlocks decoded -> decode(slice, decoded.stored(), target, window);
            }
        }
    }

    /** Converts runs, by several threads. */
    private void convert(StoredSlice slice, ConvertedTensor tensor, MemorySegment target) {
        DType type = slice.encoding().held();
        long row = Math.max(type.blockBytes(),
                type.bytes(tensor.seen().shape().getLast()));
        long most = Math.max(1, RUN_BYTES / row) * row;
        var runs = new ArrayList<long[]>();
        SliceLayout.Run cut = (from, to, count) -> {
            for (long at = 0; at < count;) {
                // Pieces end with rows, wherever they begin.
                long taken = Math.min(count - at, most - (from + at) % row);
                runs.add(new long[] {from + at, to + at, taken});
                at += taken;
            }
        };
        if (slice.blocks().isPresent()) {
            slice.blocks().get().forEachRun(cut);
        } else {
            long size = type.bytes();
            slice.layout().forEachRun((from, to, count) -> cut.copy(from * size, to * size, count * size));
        }
        int together = Math.toIntExact(Math.max(1, RUN_BYTES * runs.size() / Math.max(1, slice.elementBytes())));
        Parallel.run(threads, Math.ceilDiv(runs.size(), together), piece -> {
            try (Arena window = Arena.ofConfined()) {
                ConvertedTensor.Reader reader = tensor.open(window);
                for (long[] run : runs.subList(piece * together, Math.min(runs.size(), (piece + 1) * together))) {
                    reader.read(run[0], run[2], target, run[1]);
                }
            }
        });
    }

    private void copyElements(StoredSlice slice, int size, MemorySegment target, Arena window) {
        long[] span = slice.layout().span();
        MemorySegment stored = source.map(slice.tensor(), span[0] * size, (span[1] - span[0]) * size, window);
        slice.layout().forEachRun((from, to, count) -> MemorySegment.copy(stored, (from - span[0]) * size, target, to * size,
                count * size));
    }

    private void copyBlocks(StoredSlice slice, BlockLayout blocks, MemorySegment target, Arena window) {
        long[] span = blocks.span();
        MemorySegment stored = source.map(slice.tensor(), span[0], span[1] - span[0], window);
        blocks.forEachRun((from, to, count) -> MemorySegment.copy(stored, from - span[0], target, to, count));
    }

    /** Decodes the blocks that the slice touches, and takes from them what it has. */
    private void decode(StoredSlice slice, DType type, MemorySegment target, Arena window) {
        long[] span = slice.layout().span();
        long block = type.blockElements();
        long first = span[0] / block;
        long count = Math.ceilDiv(span[1], block) - first;
        MemorySegment stored = source.map(slice.tensor(), first * type.blockBytes(), count * type.blockBytes(), window);
        MemorySegment floats = window.allocate(count * block * Float.BYTES);
        BlockCodec codec = BlockCodec.of(type);
        for (long i = 0; i < count; i++) {
            codec.decode(stored, i * type.blockBytes(), floats, i * block * Float.BYTES, type.blockElements());
        }
        slice.layout().forEachRun((from, to, length) -> MemorySegment.copy(floats, (from - first * block) * Float.BYTES, target,
                to * Float.BYTES, length * Float.BYTES));
    }

    private void decode(StoredSlice slice, String scales, long[] span, MemorySegment target, Arena window) {
        long firstByte = span[0] / 2;
        long firstScale = span[0] / TensorView.Mxfp4.BLOCK;
        MemorySegment pairs = source.map(slice.tensor(), firstByte, (span[1] + 1) / 2 - firstByte, window);
        MemorySegment factors = source.map(scales, firstScale,
                (span[1] + TensorView.Mxfp4.BLOCK - 1) / TensorView.Mxfp4.BLOCK - firstScale, window);
        slice.layout().forEachRun((from, to, count) -> decoder.decode(pairs, firstByte, factors, firstScale, from, count, target,
                to));
    }

    /** Writes the factors. */
    void expand(StoredSlice slice, ScaleLayout scales, MemorySegment target) {
        StoredTensor stored = stored(slice.tensor() + source.factors());
        try (Arena window = Arena.ofConfined()) {
            scales.expand(source.map(stored.name(), 0, stored.bytes(), window), stored.dtype(), target);
        }
        copiedBytes.add(slice.factorBytes());
    }
}
