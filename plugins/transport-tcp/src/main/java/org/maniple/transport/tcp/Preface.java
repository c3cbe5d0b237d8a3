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
 * @param security what is to protect the connection
 * @param unit its name, cut to {@link #UNIT_BYTES}
 * @param fingerprint of the certificate that the dialling end will have; zeros if it needs none
 * @param nonce random
 */
record Preface(int version, int purpose, int rank, int peer, int ranks, long epoch, LinkSecurity security, String unit,
        byte[] fingerprint, byte[] nonce) {

    static final int MAGIC = 0x4d4e504c;
    static final int VERSION = 2;
    static final int BYTES = 224;
    static final int CONTROL = 1;
    static final int DATA = 2;

    private static final int UNIT_BYTES = 120;

    static Preface of(Transport.Identity identity, Guard guard, int peer, int purpose, byte[] nonce) {
        return new Preface(VERSION, purpose, identity.rank(), peer, identity.ranks(), identity.epoch(), guard.security(),
                cut(identity.unit()), guard.fingerprint(), nonce);
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
        out.putInt(security.ordinal()).putInt(name.length).put(name);
        out.position(BYTES - Proof.NONCE_BYTES - OwnCertificate.FINGERPRINT_BYTES).put(fingerprint).put(nonce);
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
        LinkSecurity security = LinkSecurity.ofNumber(in.getInt());
        int length = in.getInt();
        if (magic != MAGIC || version != VERSION || security == null || length < 0 || length > UNIT_BYTES) {
            return null;
        }
        byte[] name = new byte[length];
        in.get(name);
        byte[] nonce = new byte[Proof.NONCE_BYTES];
        byte[] fingerprint = new byte[OwnCertificate.FINGERPRINT_BYTES];
        in.position(BYTES - nonce.length - fingerprint.length).get(fingerprint).get(nonce);
        return new Preface(version, purpose, rank, peer, ranks, epoch, security, new String(name, StandardCharsets.UTF_8),
                fingerprint, nonce);
    }

    /**
     * Why this rank does not want to be connected with one that has proved to say this. Two processes with the same number may speak: the
     * unit then tells both of them who has it.
     *
     * @param own who this rank is
     * @param wanted what is to protect connections of this rank
     * @return what does not fit, or null
     */
    Verdict.@Nullable Reason objection(Transport.Identity own, LinkSecurity wanted) {
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
        if (security != wanted) {
            return new Verdict.Reason(Verdict.OTHER_UNIT, "rank " + rank + " has " + LinkSecurity.KEY + " " + security + ", rank "
                    + own.rank() + " " + wanted + "; give all ranks the same");
        }
        if (purpose != CONTROL && purpose != DATA) {
            return new Verdict.Reason(Verdict.OTHER_UNIT, "links have purpose " + CONTROL + " or " + DATA + ", not " + purpose);
        }
        return null;
    }
}
