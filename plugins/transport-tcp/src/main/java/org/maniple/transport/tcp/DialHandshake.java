package org.maniple.transport.tcp;

import io.netty.channel.ChannelHandlerContext;
import io.netty.util.concurrent.Promise;
import org.maniple.api.transport.Transport;
import org.maniple.api.transport.TransportException;

/** The dialling end: says who it is, proves it, and has the other end prove itself. */
@SuppressWarnings("FutureReturnValueIgnored") // nobody waits for a connection to close; a write that fails closes it
final class DialHandshake extends Handshake {

    static final String ROLE = "maniple dialling end";

    private final Proof secret;
    private final String peer;
    private final int purpose;
    private final byte[] preface;
    private final Promise<Greeted> result;
    private byte[] challenge = {};
    private byte[] proof = {};

    DialHandshake(Proof secret, Transport.Identity own, int rank, String address, int purpose, Promise<Greeted> result) {
        this.secret = secret;
        this.peer = "rank " + rank + " at " + address;
        this.purpose = purpose;
        this.preface = Preface.of(own, rank, purpose, secret.nonce()).encode();
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
        if (Verdict.magic(challenge) != Preface.MAGIC) {
            fail(context,
                    new TransportException("what listens there as " + peer + " is no rank: its answer is of another protocol"));
        } else if (Verdict.version(challenge) != Preface.VERSION) {
            fail(context, RefusedLinkException.version(peer, Verdict.version(challenge)));
        } else if (Verdict.challengeStatus(challenge) != Verdict.PROVE) {
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
    void succeeded(ChannelHandlerContext context, byte[] rest) {
        if (!result.trySuccess(new Greeted(context.channel(), rest))) {
            context.close();
        }
    }

    @Override
    void failed(TransportException reason) {
        result.tryFailure(reason);
    }
}
