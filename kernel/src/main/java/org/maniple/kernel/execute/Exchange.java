package org.maniple.kernel.execute;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.LongFunction;
import org.maniple.api.collective.Communicator;
import org.maniple.api.graph.Axes;
import org.maniple.api.graph.Axis;
import org.maniple.api.graph.BuiltinOp;
import org.maniple.api.graph.Dim;
import org.maniple.api.step.Step;
import org.maniple.api.tensor.Tensor;
import org.maniple.api.tensor.UnitList;
import org.maniple.kernel.program.CompileException;
import org.maniple.kernel.program.Instruction;
import org.maniple.kernel.program.Instruction.Seam;
import org.maniple.kernel.program.MeshProgram;
import org.maniple.kernel.program.Piece;
import org.maniple.kernel.program.TokenSplit;
import org.maniple.kernel.step.StepBatch;
import org.maniple.kernel.step.StepView;

/** Carries out a seam on this rank's memory. */
abstract sealed class Exchange implements Exchanging {

    /** What a seam is bound to. */
    record Binding(MeshProgram program, int rank, Seam seam, Tensor from, Tensor to, Communicator communicator,
            Communicator.Group group, LongFunction<MemorySegment> memory, CurrentBatch current) {

        private int groupSize() {
            return group.size();
        }

        /** The units of the seam's axis that a member of the group has in a piece. */
        private UnitList units(Piece piece, int position) {
            return program.units(piece, dim(piece, seam.axis().orElseThrow()), group.ranks().get(position));
        }

        private static Dim dim(Piece piece, Axis axis) {
            return piece.operand().dims().stream().filter(d -> d.axis().equals(axis)).findFirst().orElseThrow();
        }
    }

    final Binding bound;
    private Communicator.Begun begun = Communicator.Begun.OVER;

    private Exchange(Binding bound) {
        this.bound = bound;
    }

    /** Begins to exchange the rows in use. */
    abstract Communicator.Begun begin();

    /** Once what others have is there. */
    void arrive() {}

    @Override
    public final void begin(Step step) {
        begun = begin();
    }

    @Override
    public final void end(Step step) {
        begun.end();
        arrive();
    }

    static Exchange of(Binding binding) {
        if (binding.seam().axis().filter(Axes::ofTokens).isPresent()) {
            return new TokenExchange(binding);
        }
        return switch (binding.seam().kind()) {
            case SLICE -> new Slice(binding);
            case ALL_REDUCE -> new AllReduce(binding);
            case MERGE -> new Merge(binding);
            case REDUCE_SCATTER -> new ReduceScatter(binding);
            case ALL_GATHER -> new AllGather(binding);
        };
    }

    /** Sums in place; the compiler's buffers are the same, or the addends are copied first. */
    private static final class AllReduce extends Exchange {
        private final RowSlices floats;

        AllReduce(Binding bound) {
            super(bound);
            this.floats = new RowSlices(bound.to().segment(), 4L * bound.to().width(), bound.to().extent(0));
        }

        @Override
        Communicator.Begun begin() {
            return bound.communicator().beginAllReduce(bound.group(), addends());
        }

        @Override
        public void run(Step step) {
            bound.communicator().allReduce(bound.group(), addends());
        }

        private MemorySegment addends() {
            long bytes = bound.from().byteSize();
            if (bound.from().segment().address() != bound.to().segment().address()) {
                MemorySegment.copy(bound.from().segment(), 0, bound.to().segment(), 0, bytes);
            }
            return floats.first(bound.to().rows());
        }
    }

    /** Gathers, scatters or slices tokens: what each rank has are rows that follow each other. */
    private static final class TokenExchange extends Exchange {
        private final boolean rows;
        private final TokenSplit[] parts;
        private final TokenSplit whole;
        private final long[] partBytes;
        private final long rowBytes;
        private final RowSlices from;
        private final RowSlices to;

        TokenExchange(Binding bound) {
            super(bound);
            Piece split = bound.seam().kind() == Instruction.SeamKind.ALL_GATHER ? bound.seam().from() : bound.seam().to();
            Piece gathered = split.equals(bound.seam().from()) ? bound.seam().to() : bound.seam().from();
            this.rows = split.operand().has(Axes.ROWS);
            this.parts = new TokenSplit[bound.groupSize()];
            for (int i = 0; i < parts.length; i++) {
                parts[i] = bound.program().tokens(split, bound.group().ranks().get(i));
            }
            this.whole = bound.program().tokens(gathered, bound.rank());
            this.partBytes = new long[parts.length];
            this.rowBytes = (long) bound.to().width() * bound.to().dtype().bytes();
            this.from = new RowSlices(bound.from().segment(), rowBytes, bound.from().extent(0));
            this.to = new RowSlices(bound.to().segment(), rowBytes, bound.to().extent(0));
        }

        private long start(TokenSplit split) {
            StepBatch batch = bound.current().batch();
            return rows ? StepView.rowFrom(batch, split) : StepView.tokenFrom(batch, split);
        }

        private long end(TokenSplit split) {
            StepBatch batch = bound.current().batch();
            return rows ? StepView.rowTo(batch, split) : StepView.tokenTo(batch, split);
        }

        @Override
        Communicator.Begun begin() {
            for (int i = 0; i < parts.length; i++) {
                partBytes[i] = (end(parts[i]) - start(parts[i])) * rowBytes;
            }
            MemorySegment mine = from.first(bound.from().rows());
            return switch (bound.seam().kind()) {
                case ALL_GATHER ->
                    bound.communicator().beginAllGather(bound.group(), mine, partBytes, to.first(bound.to().rows()));
                case REDUCE_SCATTER ->
                    bound.communicator().beginReduceScatter(bound.group(), mine, partBytes, to.first(bound.to().rows()));
                case SLICE -> {
                    long at = (start(parts[bound.group().position()]) - start(whole)) * rowBytes;
                    MemorySegment.copy(mine, at, bound.to().segment(), 0, partBytes[bound.group().position()]);
                    yield Communicator.Begun.OVER;
                }
                default -> throw new IllegalStateException("no such exchange of tokens: " + bound.seam());
            };
        }
    }

    /** Moves units of one axis between the whole and the parts that ranks have. Other dimensions are the same in both. */
    private static final class UnitCopy {
        private final UnitList[] parts;
        private final int extent;
        private final int outer;
        private final long unitBytes;

        UnitCopy(Binding bound, Piece whole, Piece split, Tensor wholeTensor) {
            Axis axis = bound.seam().axis().orElseThrow();
            List<Dim> dims = whole.operand().dims();
            int index = dims.indexOf(Binding.dim(whole, axis));
            parts = new UnitList[bound.groupSize()];
            for (int i = 0; i < parts.length; i++) {
                parts[i] = bound.units(split, i);
            }
            extent = wholeTensor.extent(index);
            int before = 1;
            for (int i = 1; i < index; i++) {
                before *= wholeTensor.extent(i);
            }
            outer = before;
            long inner = 4;
            for (int i = index + 1; i < dims.size(); i++) {
                inner *= wholeTensor.extent(i);
            }
            unitBytes = inner;
        }

        long partRowBytes(int part) {
            return (long) outer * parts[part].size() * unitBytes;
        }

        void toPart(MemorySegment whole, MemorySegment target, long at, int part, int rows) {
            move(whole, target, at, part, rows, true);
        }

        void toWhole(MemorySegment source, long at, MemorySegment whole, int part, int rows) {
            move(whole, source, at, part, rows, false);
        }

        private void move(MemorySegment whole, MemorySegment other, long start, int part, int rows, boolean out) {
            UnitList units = parts[part];
            long at = start;
            for (long row = 0; row < (long) rows * outer; row++) {
                for (int range = 0; range < units.ranges(); range++) {
                    long from = (row * extent + units.from(range)) * unitBytes;
                    long bytes = (units.to(range) - units.from(range)) * unitBytes;
                    if (out) {
                        MemorySegment.copy(whole, from, other, at, bytes);
                    } else {
                        MemorySegment.copy(other, at, whole, from, bytes);
                    }
                    at += bytes;
                }
            }
        }
    }

    private static final class Slice extends Exchange {
        private final UnitCopy copy;

        Slice(Binding bound) {
            super(bound);
            this.copy = new UnitCopy(bound, bound.seam().from(), bound.seam().to(), bound.from());
        }

        @Override
        Communicator.Begun begin() {
            copy.toPart(bound.from().segment(), bound.to().segment(), 0, bound.group().position(), bound.from().rows());
            return Communicator.Begun.OVER;
        }
    }

    /** Parts of different ranks may have units in common (key-value heads); these are equal and are written more than once. */
    private static final class AllGather extends Exchange {
        private final UnitCopy copy;
        private final long[] partBytes;
        private final RowSlices mine;
        private final RowSlices all;
        private final MemorySegment staging;

        AllGather(Binding bound) {
            super(bound);
            this.copy = new UnitCopy(bound, bound.seam().to(), bound.seam().from(), bound.to());
            this.partBytes = new long[bound.groupSize()];
            long rowBytes = 0;
            for (int i = 0; i < partBytes.length; i++) {
                rowBytes += copy.partRowBytes(i);
            }
            int capacity = bound.to().extent(0);
            this.staging = bound.memory().apply(rowBytes * capacity);
            this.all = new RowSlices(staging, rowBytes, capacity);
            this.mine = new RowSlices(bound.from().segment(), 4L * bound.from().width(), capacity);
        }

        @Override
        Communicator.Begun begin() {
            int rows = bound.from().rows();
            for (int i = 0; i < partBytes.length; i++) {
                partBytes[i] = rows * copy.partRowBytes(i);
            }
            return bound.communicator().beginAllGather(bound.group(), mine.first(rows), partBytes, all.first(rows));
        }

        @Override
        void arrive() {
            int rows = bound.from().rows();
            long at = 0;
            for (int i = 0; i < partBytes.length; i++) {
                copy.toWhole(staging, at, bound.to().segment(), i, rows);
                at += partBytes[i];
            }
        }
    }

    private static final class ReduceScatter extends Exchange {
        private final UnitCopy copy;
        private final long[] partBytes;
        private final RowSlices mine;
        private final RowSlices all;
        private final MemorySegment staging;

        ReduceScatter(Binding bound) {
            super(bound);
            this.copy = new UnitCopy(bound, bound.seam().from(), bound.seam().to(), bound.from());
            this.partBytes = new long[bound.groupSize()];
            long rowBytes = 0;
            for (int i = 0; i < partBytes.length; i++) {
                rowBytes += copy.partRowBytes(i);
            }
            int capacity = bound.from().extent(0);
            this.staging = bound.memory().apply(rowBytes * capacity);
            this.all = new RowSlices(staging, rowBytes, capacity);
            this.mine = new RowSlices(bound.to().segment(), 4L * bound.to().width(), capacity);
        }

        @Override
        Communicator.Begun begin() {
            int rows = bound.from().rows();
            long at = 0;
            for (int i = 0; i < partBytes.length; i++) {
                partBytes[i] = rows * copy.partRowBytes(i);
                copy.toPart(bound.from().segment(), staging, at, i, rows);
                at += partBytes[i];
            }
            return bound.communicator().beginReduceScatter(bound.group(), all.first(rows), partBytes, mine.first(rows));
        }
    }

    /** Every rank collects all lists of candidates and merges them, in the order of the ranks. */
    private static final class Merge extends Exchange {
        private final int k;
        private final long rowBytes;
        private final long[] partBytes;
        private final RowSlices mine;
        private final RowSlices all;
        private final MemorySegment staging;

        Merge(Binding bound) {
            super(bound);
            this.rowBytes = 4L * bound.from().width();
            this.k = bound.from().width() / 2 - 1;
            if (new BuiltinOp.TopK(k).width() != bound.from().width()) {
                throw new CompileException(bound.seam().from() + " is not a list of candidates");
            }
            this.partBytes = new long[bound.groupSize()];
            int capacity = bound.from().extent(0);
            this.staging = bound.memory().apply(rowBytes * capacity * partBytes.length);
            this.all = new RowSlices(staging, rowBytes * partBytes.length, capacity);
            this.mine = new RowSlices(bound.from().segment(), rowBytes, capacity);
        }

        @Override
        Communicator.Begun begin() {
            int rows = bound.from().rows();
            java.util.Arrays.fill(partBytes, rows * rowBytes);
            return bound.communicator().beginAllGather(bound.group(), mine.first(rows), partBytes, all.first(rows));
        }

        @Override
        void arrive() {
            int rows = bound.from().rows();
            for (int row = 0; row < rows; row++) {
                Candidates.clear(bound.to().segment(), row * rowBytes, k);
                for (int part = 0; part < partBytes.length; part++) {
                    Candidates.merge(bound.to().segment(), row * rowBytes, staging, ((long) part * rows + row) * rowBytes, k);
                }
            }
        }
    }
}
