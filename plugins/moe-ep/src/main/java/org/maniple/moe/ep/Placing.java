package org.maniple.moe.ep;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.maniple.api.config.Settings;
import org.maniple.api.mesh.ExpertPlacement;
import org.maniple.api.mesh.SplitException;

/**
 * Where experts are at the start, as the configuration asks.
 *
 * @param size the number of ranks that somebody has said the experts are spread over
 * @param roundRobin whether they are dealt in turn
 * @param redundant slots in addition to one for each expert
 * @param redundantKey the key that says so
 * @param balanced whether experts are rebalanced later, which needs as many slots on every rank
 * @param file what is listed expert by expert
 */
record Placing(OptionalInt size, boolean roundRobin, int redundant, String redundantKey, boolean balanced,
        Optional<PlacementFile> file) {

    static Placing of(Settings settings) {
        return new Placing(
                settings.given(ExpertParallelism.SIZE)
                        ? OptionalInt.of(settings.integer(ExpertParallelism.SIZE))
                        : OptionalInt.empty(),
                settings.text(ExpertParallelism.STRATEGY).equals(ExpertParallelism.ROUND_ROBIN),
                EplbOptions.redundant(settings),
                EplbOptions.redundantKey(settings),
                settings.flag(EplbOptions.ENABLE),
                file(settings).map(PlacementFile::read));
    }

    /** The file of the configuration. SGLang says {@code trivial} where there is none. */
    static Optional<Path> file(Settings settings) {
        return settings.optionalText(ExpertParallelism.FILE).filter(text -> !text.equals("trivial")).map(Path::of);
    }

    /** A layer that the file is about; any, if it is about all of them or there is none. */
    int firstLayer() {
        return file.map(PlacementFile::firstLayer).orElse(0);
    }

    ExpertPlacement place(int layer, int experts, int parts) {
        checkParts(parts);
        if (file.isPresent()) {
            return listed(file.get(), layer, experts, parts);
        }
        int slots = experts + redundant;
        if (slots < parts) {
            throw new SplitException(size.isPresent() ? ExpertParallelism.SIZE : ExpertParallelism.ENABLE, "the model has "
                    + experts + " routed experts in a layer, too few for " + parts + " ranks; use at most " + experts
                    + " ranks (dp × tp), or " + ExpertParallelism.REDUNDANT + " " + (parts - experts)
                    + " to hold some experts more than once");
        }
        if ((redundant > 0 || balanced) && slots % parts != 0) {
            throw new SplitException(redundantKey, uneven(experts, redundant, parts)
                    + (redundant > 0 ? "" : " (" + EplbOptions.ENABLE + " needs equally many on each rank)"));
        }
        var ranks = new ArrayList<List<Integer>>();
        for (int part = 0; part < parts; part++) {
            ranks.add(roundRobin ? inTurn(part, parts, slots) : contiguous(part, parts, slots, experts));
        }
        return new ExpertPlacement(experts, ranks);
    }

    private void checkParts(int parts) {
        if (size.isPresent() && size.getAsInt() != parts) {
            throw new SplitException(ExpertParallelism.SIZE, "asks for " + size.getAsInt()
                    + " ranks, but experts are spread over all ranks that share a layer, dp × tp = " + parts + "; set it to "
                    + parts
                    + " or leave it out and set " + ExpertParallelism.ENABLE
                    + (parts == 1 ? "" : "; to keep experts whole, set it to 1 and do not set " + ExpertParallelism.ENABLE));
        }
        if (balanced && parts == 1) {
            throw new SplitException(EplbOptions.ENABLE,
                    "there is nothing to rebalance: all experts are on one rank (dp × tp = 1); remove it, or use more ranks");
        }
    }

    private ExpertPlacement listed(PlacementFile listed, int layer, int experts, int parts) {
        List<List<Integer>> ranks = listed.ranks(layer, parts);
        int slots = ranks.stream().mapToInt(List::size).sum();
        if (redundant > 0 && slots != experts + redundant) {
            throw new SplitException(redundantKey, "asks for " + experts + " + " + redundant + " slots, but "
                    + ExpertParallelism.FILE + " lists " + slots + "; remove one of the two keys");
        }
        if (balanced && ranks.stream().anyMatch(rank -> rank.size() != slots / parts)) {
            throw new SplitException(ExpertParallelism.FILE, "lists " + ranks.stream().map(List::size).toList()
                    + " experts for the ranks of layer " + layer + ", but " + EplbOptions.ENABLE
                    + " needs equally many on each rank");
        }
        try {
            return new ExpertPlacement(experts, ranks);
        } catch (IllegalArgumentException e) {
            throw new SplitException(ExpertParallelism.FILE, "does not fit layer " + layer + ": " + e.getMessage());
        }
    }

    /** Why slots cannot be dealt evenly, and what could. */
    static String uneven(int experts, int redundant, int parts) {
        int above = Math.ceilDiv(experts + redundant, parts) * parts - experts;
        int below = above - parts;
        return experts + " experts and " + redundant + " redundant ones are " + (experts + redundant)
                + " slots, which cannot be dealt evenly to " + parts
                + " ranks; the nearest numbers of redundant experts that fit: "
                + (below >= 0 ? below + " and " : "") + above;
    }

    /** Neighbours together; the first ranks have one more. What is redundant begins again with expert 0, as it does in vLLM. */
    private static List<Integer> contiguous(int part, int parts, int slots, int experts) {
        int less = slots / parts;
        int more = slots % parts;
        int from = part * less + Math.min(part, more);
        int to = from + less + (part < more ? 1 : 0);
        return IntStream.range(from, to).map(slot -> slot % experts).boxed().toList();
    }

    private static List<Integer> inTurn(int part, int parts, int slots) {
        return IntStream.iterate(part, slot -> slot < slots, slot -> slot + parts).boxed().toList();
    }
}
