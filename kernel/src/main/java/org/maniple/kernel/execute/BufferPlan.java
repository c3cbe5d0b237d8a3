package org.maniple.kernel.execute;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.maniple.api.graph.Axes;
import org.maniple.api.graph.Dim;
import org.maniple.api.graph.Value;
import org.maniple.api.mesh.ExpertPlacement;
import org.maniple.kernel.program.Instruction;
import org.maniple.kernel.program.Instruction.SeamKind;
import org.maniple.kernel.program.Piece;
import org.maniple.kernel.program.RankProgram;
import org.maniple.kernel.program.TokenSplit;
import org.maniple.kernel.step.StepBatch;

/**
 * Which activations may share memory. Within a section (a run of operations that a back end may compute in one pass) nothing is given
 * up, since a fused kernel may write an output while it still reads an input; at the end of a section all memory whose contents nobody
 * reads any more is free for the next.
 */
final class BufferPlan {

    /** A piece of memory that one activation after another uses. */
    static final class Slot {
        private final long bytes;

        private Slot(long bytes) {
            this.bytes = bytes;
        }

        long bytes() {
            return bytes;
        }
    }

    private final RankProgram program;
    private final StepBatch.Limits limits;
    private final Map<Piece, Slot> slots = new HashMap<>();
    private final List<Slot> all = new ArrayList<>();

    BufferPlan(RankProgram program, List<List<Instruction>> sections, StepBatch.Limits limits) {
        this.program = program;
        this.limits = limits;
        Map<Piece, Integer> lastUse = lastUses(sections);
        var free = new ArrayList<Slot>();
        for (int i = 0; i < sections.size(); i++) {
            for (Instruction instruction : sections.get(i)) {
                for (Piece made : made(program, instruction)) {
                    slots.computeIfAbsent(made, p -> inPlace(instruction, lastUse).orElseGet(() -> take(free, bytes(p))));
                }
            }
            release(i, lastUse, free);
        }
    }

    /** The memory of an activation. */
    Slot slot(Piece piece) {
        Slot slot = slots.get(piece);
        if (slot == null) {
            throw new IllegalStateException("no instruction of rank " + program.rank() + " makes " + piece);
        }
        return slot;
    }

    /** All memory there is. */
    List<Slot> slots() {
        return all;
    }

    /** Rows that an activation has room for. */
    int capacity(Piece piece) {
        return capacity(program, piece, limits);
    }

    /** Rows that an activation has room for: tokens, selected rows, or rows of experts. */
    static int capacity(RankProgram program, Piece piece, StepBatch.Limits limits) {
        TokenSplit split = program.program().tokens(piece, program.rank());
        var value = (Value) piece.operand();
        boolean rows = value.has(Axes.ROWS);
        if (split.parts() > 1 && rows) {
            return split.home() < 0 ? limits.allRows() : limits.maxRows();
        }
        int most = split.home() < 0
                ? rows ? limits.allRows() : limits.allTokens()
                : rows ? limits.maxRows() : limits.maxTokens();
        int here = Math.ceilDiv(most, split.parts());
        return value.ragged() ? Math.multiplyExact(here, Math.min(value.choices(), slots(program, piece))) : here;
    }

    /** Experts on this rank that a piece can have rows of. */
    static int slots(RankProgram program, Piece pairs) {
        boolean split = !pairs.layout().splitting(Axes.EXPERTS).isEmpty();
        ExpertPlacement placement = program.program().placements().values().stream()
                .filter(p -> p.experts() == pairs.operand().extent(Axes.EXPERTS)).findFirst().orElseThrow();
        return split || placement.parts() == 1
                ? placement.slots(placement.parts() == 1 ? 0 : program.program().expertPart(program.rank()))
                : placement.experts();
    }

    /** The shape of this rank's piece, with its capacity in rows. */
    int[] shape(Piece piece) {
        List<Dim> dims = piece.operand().dims();
        int skipped = ((Value) piece.operand()).ragged() ? 1 : 0;
        int[] shape = new int[dims.size() - skipped];
        shape[0] = capacity(piece);
        for (int i = 1; i < shape.length; i++) {
            shape[i] = program.program().units(piece, dims.get(i + skipped), program.rank()).size();
        }
        return shape;
    }

    /** The activations that an instruction makes on this rank. */
    static List<Piece> made(RankProgram program, Instruction instruction) {
        return switch (instruction) {
            case Instruction.Local local -> local.outputs();
            case Instruction.Seam seam -> List.of(seam.to());
            case Instruction.Dispatch dispatch -> List.of(dispatch.pairs());
            case Instruction.Combine combine -> List.of(combine.sums());
            case Instruction.Transfer transfer -> transfer.fromStage() == program.stage() ? List.of() : transfer.pieces();
        };
    }

    private static List<Piece> read(RankProgram program, Instruction instruction) {
        return switch (instruction) {
            case Instruction.Local local -> local.inputs();
            case Instruction.Seam seam -> List.of(seam.from());
            case Instruction.Dispatch dispatch -> List.of(dispatch.x(), dispatch.ids(), dispatch.weights());
            case Instruction.Combine combine -> List.of(combine.pairs(), combine.ids(), combine.weights());
            case Instruction.Transfer transfer -> transfer.fromStage() == program.stage() ? transfer.pieces() : List.of();
        };
    }

    private long bytes(Piece piece) {
        return Math.multiplyExact((long) capacity(piece) * 4, program.elements(piece));
    }

    private Map<Piece, Integer> lastUses(List<List<Instruction>> sections) {
        var last = new HashMap<Piece, Integer>();
        for (int i = 0; i < sections.size(); i++) {
            for (Instruction instruction : sections.get(i)) {
                for (Piece piece : read(program, instruction)) {
                    last.put(piece, i);
                }
            }
        }
        last.put(program.program().logits(), Integer.MAX_VALUE);
        last.put(program.program().candidates(), Integer.MAX_VALUE);
        program.program().hidden().ifPresent(hidden -> last.put(hidden, Integer.MAX_VALUE));
        program.program().draft().ifPresent(draft -> {
            // What is kept of a step is copied when it is over; until then, and while others go on from it, nothing may take its place.
            last.put(draft.source(), Integer.MAX_VALUE);
            last.put(draft.candidates(), Integer.MAX_VALUE);
        });
        return last;
    }

    /** A sum over ranks is formed in place if nobody reads the addends afterwards. */
    private Optional<Slot> inPlace(Instruction instruction, Map<Piece, Integer> lastUse) {
        if (instruction instanceof Instruction.Seam seam && seam.kind() == SeamKind.ALL_REDUCE) {
            Slot slot = slots.get(seam.from());
            if (slot != null && bytes(seam.from()) == bytes(seam.to())) {
                lastUse.merge(seam.from(), lastUse.getOrDefault(seam.to(), 0), Math::max);
                return Optional.of(slot);
            }
        }
        return Optional.empty();
    }

    private Slot take(List<Slot> free, long bytes) {
        Optional<Slot> found = free.stream().filter(s -> s.bytes >= bytes).min(Comparator.comparingLong(Slot::bytes));
        if (found.isPresent() && found.get().bytes <= 4 * Math.max(bytes, 4096)) {
            free.remove(found.get());
            return found.get();
        }
        var slot = new Slot(bytes);
        all.add(slot);
        return slot;
    }

    private void release(int section, Map<Piece, Integer> lastUse, List<Slot> free) {
        var used = new ArrayList<Slot>();
        slots.forEach((piece, slot) -> {
            if (lastUse.getOrDefault(piece, section) > section) {
                used.add(slot);
            }
        });
        for (Slot slot : all) {
            if (!used.contains(slot) && !free.contains(slot)) {
                free.add(slot);
            }
        }
    }
}
