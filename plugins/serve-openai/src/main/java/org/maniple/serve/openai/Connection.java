package org.maniple.serve.openai;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.CompositeByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.SocketChannel;
import io.netty.handler.codec.DecoderResult;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.codec.http.TooLongHttpHeaderException;
import io.netty.handler.codec.http.TooLongHttpLineException;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.netty.util.ReferenceCountUtil;
import java.util.ArrayDeque;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * One client's connection: puts its requests together, and has them answered one after the other in their order. A few are read
 * ahead; then reading pauses. All methods run on the connection's event loop.
 */
@SuppressWarnings("FutureReturnValueIgnored") // a write that fails closes the channel, and that is noticed
final class Connection extends ChannelInboundHandlerAdapter {

    private enum Phase {
        /** No request has begun. */
        IDLE,
        /** A header is coming. */
        HEADER,
        /** A body is coming. */
        BODY,
        /** Whatever comes is dropped, because the connection ends. */
        ENDING
    }

    private final HttpLimits limits;
    private final ConnectionCensus census;
    private final BodyBudget budget;
    private final Router router;
    private final Json json;
    private final ArrayDeque<Incoming> waiting = new ArrayDeque<>();
    private final Channel channel;
    private final Deadline reading;
    private final Deadline writing;
    private Phase phase = Phase.HEADER;
    private @Nullable HttpRequest head;
    private @Nullable CompositeByteBuf body;
    private long bodyBegan;
    private long waitingBytes;
    private @Nullable Exchange current;
    private boolean pumping;
    private int handshakes;

    Connection(Channel channel, HttpLimits limits, ConnectionCensus census, BodyBudget budget, Router router, Json json) {
        this.channel = channel;
        this.limits = limits;
        this.census = census;
        this.budget = budget;
        this.router = router;
        this.json = json;
        this.reading = new Deadline(channel.eventLoop(), this::readingTookTooLong);
        this.writing = new Deadline(channel.eventLoop(), channel::close);
    }

    Channel channel() {
        return channel;
    }

    Json json() {
        return json;
    }

    BodyBudget budget() {
        return budget;
    }

    HttpLimits limits() {
        return limits;
    }

    /** Bytes have come, before they are decoded. */
    void bytesCame() {
        if (phase == Phase.IDLE) {
            phase = Phase.HEADER;
            reading.in(limits.header());
        }
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
        if (census.opened(channel)) {
            reading.in(limits.header());
        } else {
            channel.close();
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        census.closed(channel);
        reading.close();
        writing.close();
        phase = Phase.ENDING;
        releaseBody();
        dropWaiting();
        if (current != null) {
            current.disconnected();
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        // The client went away, or the connection broke: there is nobody to tell.
        channel.close();
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        if (channel.isWritable()) {
            writing.never();
            if (current != null) {
                current.writable();
            }
        } else {
            writing.in(limits.writeStall());
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        try {
            if (phase == Phase.ENDING || !(message instanceof HttpObject part)) {
                return;
            }
            DecoderResult decoded = part.decoderResult();
            if (decoded.isFailure()) {
                refuse(framingProblem(decoded.cause()));
                return;
            }
            if (message instanceof HttpRequest request) {
                begin(request);
            }
            if (message instanceof HttpContent content && phase == Phase.BODY) {
                add(content.content());
                if (phase == Phase.BODY && message instanceof LastHttpContent) {
                    complete();
                }
            }
        } finally {
            ReferenceCountUtil.release(message);
        }
    }

    private void begin(HttpRequest request) {
        census.spoke(channel);
        head = request;
        Optional<ApiException> problem = HeaderRules.problem(request, limits);
        if (problem.isPresent()) {
            refuse(problem.get());
            return;
        }
        phase = Phase.BODY;
        bodyBegan = System.nanoTime();
        body = Unpooled.compositeBuffer(1024);
        reading.in(limits.bodyIdle());
        if (HttpUtil.is100ContinueExpected(request) && current == null && waiting.isEmpty()) {
            channel.writeAndFlush(
                    new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.CONTINUE, Unpooled.EMPTY_BUFFER));
        }
    }

    private void add(ByteBuf piece) {
        if (body == null || !piece.isReadable()) {
            return;
        }
        if (body.readableBytes() + (long) piece.readableBytes() > limits.bodyBytes()) {
            refuse(HeaderRules.tooLong(limits));
        } else if (System.nanoTime() - bodyBegan > limits.body().toNanos()) {
            refuse(ApiException.of(408, "The body took longer than " + limits.body().toSeconds() + " s to arrive."));
        } else if (!budget.take(piece.readableBytes())) {
            refuse(ApiException.later(1, "The bodies of other requests take all the room that there is; try again."));
        } else {
            body.addComponent(true, piece.retain());
            reading.in(limits.bodyIdle());
        }
    }

    private void complete() {
        if (head == null || body == null) {
            return;
        }
        byte[] bytes = new byte[body.readableBytes()];
        body.readBytes(bytes);
        body.release();
        body = null;
        enqueue(new Incoming(head, bytes, Optional.empty()));
        head = null;
        phase = Phase.IDLE;
        reading.never();
        pump();
    }

    /** Answers after what was asked before, and ends the connection then. */
    private void refuse(ApiException problem) {
        phase = Phase.ENDING;
        reading.never();
        releaseBody();
        HttpRequest request = head != null ? head : new DefaultHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.GET, "/");
        head = null;
        enqueue(new Incoming(request, new byte[0], Optional.of(problem)));
        pump();
    }

    private void enqueue(Incoming incoming) {
        waiting.add(incoming);
        waitingBytes += incoming.body().length;
        if (waiting.size() >= limits.pipelined() || waitingBytes > limits.bodyBytes()) {
            channel.config().setAutoRead(false);
        }
    }

    /** Answers what waits; a loop, since an answer may be complete before its handler returns. */
    private void pump() {
        if (pumping) {
            return;
        }
        pumping = true;
        while (current == null && !waiting.isEmpty() && channel.isActive()) {
            Incoming next = waiting.remove();
            waitingBytes -= next.body().length;
            Exchange exchange = new Exchange(this, next);
            current = exchange;
            if (next.refusal().isPresent()) {
                exchange.failAndClose(next.refusal().get());
            } else {
                router.handle(exchange);
            }
        }
        pumping = false;
        if (phase != Phase.ENDING) {
            channel.config().setAutoRead(waiting.size() < limits.pipelined() && waitingBytes <= limits.bodyBytes());
            if (phase == Phase.IDLE && current == null) {
                reading.in(limits.idle());
            }
        }
    }

    /** The current request is answered, and all of the answer is written or on its way. */
    void answered(Exchange exchange, boolean keepAlive) {
        if (current != exchange) {
            return;
        }
        exchange.takeBody();
        exchange.ended();
        current = null;
        if (keepAlive) {
            pump();
        } else {
            end();
        }
    }

    /** Reads on for a while: closing with unread bytes would reset the connection and destroy the answer on its way. */
    private void end() {
        phase = Phase.ENDING;
        dropWaiting();
        releaseBody();
        writing.in(limits.writeStall());
        channel.config().setAutoRead(true);
        channel.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(written -> {
            SslHandler tls = channel.pipeline().get(SslHandler.class);
            if (tls == null) {
                shutOutput(written.isSuccess());
            } else {
                tls.closeOutbound().addListener(closed -> shutOutput(closed.isSuccess()));
            }
        });
    }

    private void shutOutput(boolean written) {
        if (written && channel instanceof SocketChannel socket) {
            socket.shutdownOutput();
            writing.in(limits.linger());
        } else {
            channel.close();
        }
    }

    /** A handshake costs a server much more than a client, so that there is one for each connection. */
    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
        if (event instanceof SslHandshakeCompletionEvent done && (!done.isSuccess() || ++handshakes > 1)) {
            channel.close();
        }
    }

    private void readingTookTooLong() {
        if (phase == Phase.IDLE || current != null) {
            channel.close();
        } else {
            refuse(ApiException.of(408, phase == Phase.BODY
                    ? "No more of the body arrived for " + limits.bodyIdle().toSeconds() + " s."
                    : "The header did not arrive within " + limits.header().toSeconds() + " s."));
        }
    }

    private void dropWaiting() {
        waiting.forEach(incoming -> budget.give(incoming.body().length));
        waiting.clear();
        waitingBytes = 0;
    }

    private void releaseBody() {
        if (body != null) {
            budget.give(body.readableBytes());
            body.release();
            body = null;
        }
    }

    private ApiException framingProblem(Throwable cause) {
        return switch (cause) {
            case TooLongHttpLineException line ->
                ApiException.of(414, "The request line is longer than " + limits.lineBytes() + " bytes.");
            case TooLongHttpHeaderException header ->
                ApiException.of(431, "The headers are longer than " + limits.headerBytes() + " bytes.");
            default -> ApiException.of(400, "This is not a well-formed HTTP/1.1 request.");
        };
    }
}
