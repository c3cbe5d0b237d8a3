package org.maniple.transport.tcp;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import org.maniple.api.transport.Transport;
import org.maniple.api.transport.TransportException;

/** The accepting end: challenges who dials, and tells who has proved itself what does not fit, if anything. */
final class AcceptHandshake extends Handshake {

    static final String ROLE = "maniple accepting end";

    private static final int VERSION_END = 8;

    /** What becomes of connections. Called on the event loop. */
    interface Outcome {
        void greeted(Preface preface, Greeted connection);

        /** The rank is what the other end said; nothing if it said none. */
        void refused(@Nullable Preface preface, String reason);

        /** The handshake is over, either way. */
        void over();
    }

    private final Guard guard;
    private final Proof secret;
    private final Transport.Identity own;
    private final String address;
    private final Outcome outcome;
    private byte[] saidPreface = {};
    private byte[] challenge = {};
    private byte[] proof = {};
    private @Nullable Preface preface;

    AcceptHandshake(Guard guard, Transport.Identity own, String address, Outcome outcome) {
        this.guard = guard;
        this.secret = guard.secret();
        this.own = own;
        this.address = address;
        this.outcome = outcome;
    }

    @Override
    String peer() {
        Preface said = preface;
        return said == null ? "a connection from " + address : "rank " + said.rank() + " at " + address;
    }

    @Override
    int purpose() {
        Preface said = preface;
        return said == null ? 0 : said.purpose();
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
        super.channelActive(context);
        expect(Preface.BYTES);
    }

    @Override
    void begun(ChannelHandlerContext context, byte[] bytes, int count) {
        if (preface != null || count < VERSION_END) {
            return;
        }
        ByteBuffer in = ByteBuffer.wrap(bytes);
        if (in.getInt() != Preface.MAGIC) {
            fail(context, new TransportException(peer() + " is of another protocol"));
            return;
        }
        int version = in.getInt();
        if (version != Preface.VERSION) {
            refuse(context, Verdict.challenge(Verdict.OTHER_VERSION, new byte[Proof.NONCE_BYTES],
                    new byte[OwnCertificate.FINGERPRINT_BYTES]),
                    RefusedLinkException.version(peer(), version));
        }
    }

    @Override
    void received(ChannelHandlerContext context, byte[] bytes) {
        Preface said = preface;
        if (said == null) {
            saidPreface = bytes;
            preface = Preface.decode(bytes);
            challenge(context);
        } else {
            proof = bytes;
            judge(context, said);
        }
    }

    private void challenge(ChannelHandlerContext context) {
        if (preface == null) {
            fail(context, new TransportException(peer() + " sent a malformed preface"));
            return;
        }
        challenge = Verdict.challenge(Verdict.PROVE, secret.nonce(), guard.fingerprint());
        expect(Proof.BYTES);
        send(context, challenge);
    }

    private void judge(ChannelHandlerContext context, Preface said) {
        if (!Proof.equal(proof, secret.of(DialHandshake.ROLE, saidPreface, challenge))) {
            byte[] verdict = Verdict.verdict(new Verdict.Reason(Verdict.WRONG_SECRET, ""));
            refuse(context, java.util.Arrays.copyOf(verdict, Verdict.VERDICT_BYTES), RefusedLinkException.secret(peer()));
            return;
        }
        Verdict.Reason objection = said.objection(own, guard.security());
        byte[] verdict = Verdict.verdict(objection == null ? new Verdict.Reason(Verdict.WELCOME, "") : objection);
        byte[] proven = ByteBuffer.allocate(Verdict.VERDICT_BYTES)
                .put(verdict)
                .put(secret.of(ROLE, saidPreface, challenge, proof, verdict))
                .array();
        if (objection == null) {
            welcome(context);
            send(context, proven);
        } else {
            refuse(context, proven, new RefusedLinkException(peer() + " was refused: " + objection.text()));
        }
    }

    @Override
    Protection protection() {
        Preface said = preface;
        return switch (guard.security()) {
            case AUTH -> new Protection.Plain();
            case INTEGRITY -> new Protection.Keyed(secret.of(Proof.ACCEPTING_FRAMES, saidPreface, challenge, proof),
                    secret.of(Proof.DIALLING_FRAMES, saidPreface, challenge, proof));
            case ENCRYPT -> new Protection.Encrypted(guard.engine(false, said == null ? new byte[0] : said.fingerprint()));
        };
    }

    @Override
    void succeeded(Channel channel, Protection protection, byte[] rest) {
        outcome.over();
        if (preface != null) {
            outcome.greeted(preface, new Greeted(channel, protection, rest));
        }
    }

    @Override
    void failed(TransportException reason) {
        outcome.over();
        outcome.refused(preface, String.valueOf(reason.getMessage()));
    }
}
