package org.maniple.transport.tcp;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import org.maniple.api.transport.Transport;

/**
 * What the dialling end says first, in a fixed number of bytes. Magic number and version are in the same place in every version.
 *
 * @param version of the protocol
 * @param purpose control or data
 * @param rank who dials
 * @param peer who is meant
 * @param ranks how many ranks there are
 * @param epoch how often the unit has been built
 * @param unit its name, cut to {@link #UNIT_BYTES}
 * @param nonce random
 */
record Preface(int version, int purpose, int rank, int peer, int ranks, long epoch, String unit, byte[] nonce) {

    static final int MAGIC = 0x4d4e504c;
    static final int VERSION = 1;
    static final int BYTES = 192;
    static final int CONTROL = 1;
    static final int DATA = 2;

    private static final int UNIT_BYTES = 120;

    static Preface of(Transport.Identity identity, int peer, int purpose, byte[] nonce) {
        return new Preface(VERSION, purpose, identity.rank(), peer, identity.ranks(), identity.epoch(), cut(identity.unit()),
                nonce);
    }

    /** The beginning of a name, in whole characters. */
    private static String cut(String unit) {
        String name = unit;
        while (name.getBytes(StandardCharsets.UTF_8).length > UNIT_BYTES) {
            name = name.substring(0, name.offsetByCodePoints(name.length(), -1));
        }
        return name;
    }

    byte[] encode() {
        byte[] name = unit.getBytes(StandardCharsets.UTF_8);
        ByteBuffer out = ByteBuffer.allocate(BYTES);
        out.putInt(MAGIC).putInt(version).putInt(purpose).putInt(rank).putInt(peer).putInt(ranks).putLong(epoch);
        out.putInt(name.length).put(name);
        out.position(BYTES - Proof.NONCE_BYTES).put(nonce);
        return out.array();
    }

    /** Reads a preface of this version; null if it is none. */
    static @Nullable Preface decode(byte[] bytes) {
        ByteBuffer in = ByteBuffer.wrap(bytes);
        int magic = in.getInt();
        int version = in.getInt();
        int purpose = in.getInt();
        int rank = in.getInt();
        int peer = in.getInt();
        int ranks = in.getInt();
        long epoch = in.getLong();
        int length = in.getInt();
        if (magic != MAGIC || version != VERSION || length < 0 || length > UNIT_BYTES) {
            return null;
        }
        byte[] name = new byte[length];
        in.get(name);
        byte[] nonce = new byte[Proof.NONCE_BYTES];
        in.get(BYTES - Proof.NONCE_BYTES, nonce);
        return new Preface(version, purpose, rank, peer, ranks, epoch, new String(name, StandardCharsets.UTF_8), nonce);
    }

    /**
     * Why this rank does not want to be connected with one that has proved to say this. Two processes with the same number may speak: the
     * unit then tells both of them who has it.
     *
     * @param own who this rank is
     * @return what does not fit, or null
     */
    Verdict.@Nullable Reason objection(Transport.Identity own) {
        if (!unit.equals(cut(own.unit()))) {
            return new Verdict.Reason(Verdict.OTHER_UNIT,
                    "rank " + own.rank() + " belongs to unit [" + own.unit() + "], rank " + rank + " to ["
                            + unit + "]");
        }
        if (epoch < own.epoch()) {
            return new Verdict.Reason(Verdict.OTHER_UNIT,
                    "rank " + rank + " is left over from an earlier build of the unit: epoch " + epoch
                            + " < " + own.epoch());
        }
        if (epoch > own.epoch()) {
            return new Verdict.Reason(Verdict.NOT_NOW,
                    "rank " + own.rank() + " is left over from an earlier build of the unit: epoch "
                            + own.epoch() + " < " + epoch);
        }
        if (ranks != own.ranks()) {
            return new Verdict.Reason(Verdict.OTHER_UNIT,
                    "rank " + own.rank() + " counts " + own.ranks() + " ranks, rank " + rank + " " + ranks);
        }
        if (peer != own.rank()) {
            return new Verdict.Reason(Verdict.OTHER_UNIT,
                    "rank " + peer + " was meant, but rank " + own.rank() + " listens here");
        }
        if (rank < 0 || rank >= ranks || rank == own.rank() && purpose != CONTROL) {
            return new Verdict.Reason(Verdict.OTHER_UNIT,
                    "rank " + rank + " of " + ranks + " cannot be a peer of rank " + own.rank());
        }
        if (purpose != CONTROL && purpose != DATA) {
            return new Verdict.Reason(Verdict.OTHER_UNIT, "links have purpose " + CONTROL + " or " + DATA + ", not " + purpose);
        }
        return null;
    }
}
