package org.maniple.kernel.program;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.maniple.api.graph.Axes;
import org.maniple.api.graph.CustomOp;
import org.maniple.api.graph.Dim;
import org.maniple.api.graph.Op;
import org.maniple.api.graph.Value;

/**
 * What distinguishes a program from another: operations with their attributes, placements, seams, and the units of every rank. Ranks
 * compare it before they compute anything together.
 */
public final class ProgramFingerprint {

    private ProgramFingerprint() {}

    /**
     * The fingerprint of a program.
     *
     * @param program of the whole mesh
     * @return 32 hexadecimal digits
     */
    public static String of(MeshProgram program) {
        MessageDigest digest;
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
        add(digest, program.mesh() + " " + program.stages() + " " + program.options() + " " + program.placements());
        for (int i = 0; i < program.code().size(); i++) {
            add(digest, program.stageOf(i) + " " + words(program.code().get(i)));
        }
        for (int rank = 0; rank < program.mesh().ranks(); rank++) {
            RankProgram own = program.forRank(rank);
            for (Piece piece : own.weights()) {
                for (Dim dim : piece.operand().dims()) {
                    if (!Axes.ofTokens(dim.axis())) {
                        add(digest, rank + " " + piece + " " + dim + " " + program.units(piece, dim, rank));
                    }
                }
            }
        }
        return HexFormat.of().formatHex(digest.digest(), 0, 16);
    }

    private static String words(Instruction instruction) {
        return switch (instruction) {
            case Instruction.Local local -> attributes(local.node().op()) + " " + local.inputs() + " " + local.outputs() + " "
                    + local.outputs().stream().map(p -> ((Value) p.operand()).dims()).toList();
            case Instruction.Seam seam -> seam.kind() + " " + seam.dimensions() + " " + seam.from() + " " + seam.to();
            case Instruction.Dispatch dispatch ->
                "dispatch " + dispatch.dimensions() + " " + dispatch.x() + " " + dispatch.pairs();
            case Instruction.Combine combine ->
                "combine " + combine.dimensions() + " " + combine.inOrder() + " " + combine.pairs() + " " + combine.sums();
            case Instruction.Transfer transfer -> "transfer " + transfer.pieces();
        };
    }

    private static String attributes(Op op) {
        return op instanceof CustomOp custom ? custom.name() + " " + custom.attributes() : op.toString();
    }

    private static void add(MessageDigest digest, String words) {
        digest.update(words.getBytes(StandardCharsets.UTF_8));
        digest.update((byte) '\n');
    }
}
