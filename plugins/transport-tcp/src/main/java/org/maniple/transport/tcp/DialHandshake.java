package org.maniple.transport.tcp;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.util.concurrent.Promise;
import org.maniple.api.transport.Transport;
import org.maniple.api.transport.TransportException;

/** The dialling end: says who it is, proves it, and has the other end prove itself. */
@SuppressWarnings("FutureReturnValueIgnored") // nobody waits for a connection to close; a write that fails closes it
final class DialHandshake extends Handshake {

    static final String ROLE = "maniple dialling end";

    private static final int VERSION_END = 8;

    private final Guard guard;
    private final Proof secret;
    private final String peer;
    private final int purpose;
    private final byte[] preface;
    private final Promise<Greeted> result;
    private byte[] challenge = {};
    private byte[] proof = {};

    DialHandshake(Guard guard, Transport.Identity own, int rank, String address, int purpose, Promise<Greeted> result) {
        this.guard = guard;
        this.secret = guard.secret();
        this.peer = "rank " + rank + " at " + address;
        this.purpose = purpose;
        this.preface = Preface.of(own, guard, rank, purpose, secret.nonce()).encode();
        this.result = result;
    }

    @Override
    String peer() {
        return peer;
    }

    @Override
    int purpose() {
        return purpose;
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
        super.channelActive(context);
        expect(Verdict.CHALLENGE_BYTES);
        send(context, preface);
    }

    /** Challenges of other versions may be shorter, and then nothing follows. */
    @Override
    void begun(ChannelHandlerContext context, byte[] bytes, int count) {
        if (challenge.length > 0 || count < VERSION_END) {
            return;
        }
        if (Verdict.magic(bytes) != Preface.MAGIC) {
            fail(context,
                    new TransportException("what listens there as " + peer + " is no rank: its answer is of another protocol"));
        } else if (Verdict.version(bytes) != Preface.VERSION) {
            fail(context, RefusedLinkException.version(peer, Verdict.version(bytes)));
        }
    }

    @Override
    void received(ChannelHandlerContext context, byte[] bytes) {
        if (challenge.length == 0) {
            challenge = bytes;
            answer(context);
        } else {
            judge(context, bytes);
        }
    }

    private void answer(ChannelHandlerContext context) {
        if (Verdict.challengeStatus(challenge) != Verdict.PROVE) {
            fail(context,
                    new TransportException(peer + " answered with the unknown status " + Verdict.challengeStatus(challenge)));
        } else {
            proof = secret.of(ROLE, preface, challenge);
            expect(Verdict.VERDICT_BYTES);
            send(context, proof);
        }
    }

    private void judge(ChannelHandlerContext context, byte[] verdict) {
        byte[] said = first(verdict, Verdict.VERDICT_BYTES - Proof.BYTES);
        byte[] theirs = java.util.Arrays.copyOfRange(verdict, said.length, verdict.length);
        Verdict.Reason reason = Verdict.read(verdict);
        if (!Proof.equal(theirs, secret.of(AcceptHandshake.ROLE, preface, challenge, proof, said))) {
            fail(context, RefusedLinkException.secret(peer));
        } else if (reason.status() == Verdict.WELCOME) {
            welcome(context);
        } else if (reason.status() == Verdict.NOT_NOW) {
            fail(context, new TransportException(peer + " refused: " + reason.text()));
        } else {
            fail(context, new RefusedLinkException(peer + " refused: " + reason.text()));
        }
    }

    @Override
    Protection protection() {
        return switch (guard.security()) {
            case AUTH -> new Protection.Plain();
            case INTEGRITY -> new Protection.Keyed(secret.of(Proof.DIALLING_FRAMES, preface, challenge, proof),
                    secret.of(Proof.ACCEPTING_FRAMES, preface, challenge, proof));
            case ENCRYPT -> new Protection.Encrypted(guard.engine(true, Verdict.fingerprint(challenge)));
        };
    }

    @Override
    void succeeded(Channel channel, Protection protection, byte[] rest) {
        if (!result.trySuccess(new Greeted(channel, protection, rest))) {
            channel.close();
        }
    }

    @Override
    void failed(TransportException reason) {
        result.tryFailure(reason);
    }
}
