package org.maniple.serve.openai;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufOutputStream;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * One request and its answer. The methods that answer may be called on any thread; what they write goes out on the connection's
 * event loop. A stream is written on the event loop alone.
 */
@SuppressWarnings("FutureReturnValueIgnored") // a write that fails closes the channel, and that is noticed
final class Exchange {

    private static final Pattern REQUEST_ID = Pattern.compile("[A-Za-z0-9._-]{1,128}");
    private static final byte[] EVENT = "event: ".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] ID = "\nid: ".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] LINE_END = "\n".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] DATA = "data: ".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] EVENT_END = "\n\n".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] DONE = "data: [DONE]\n\n".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] COMMENT = ": keep-alive\n\n".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] NO_BYTES = {};
    private static final Map<String, String> NO_HEADERS = Map.of();

    private final Connection connection;
    private final Channel channel;
    private final HttpRequest head;
    private byte[] body;
    private final Optional<String> givenId;
    private final String id;
    private final TraceContext trace;
    private ErrorShape errors = ErrorShape.OPENAI;
    private Optional<String> sharedWith = Optional.empty();
    private boolean keepAlive;
    private boolean answered;
    private boolean chunked;
    private boolean silent;
    private @Nullable Future<?> comments;
    private @Nullable Runnable onWritable;
    private @Nullable Runnable onDisconnect;
    private final List<Runnable> onEnd = new ArrayList<>(); // guarded by this
    private boolean disconnected;
    private boolean ended;
    private long events;

    Exchange(Connection connection, Incoming incoming) {
        this.connection = connection;
        this.channel = connection.channel();
        this.head = incoming.head();
        this.body = incoming.body();
        this.givenId = Optional.ofNullable(head().headers().get("X-Request-Id")).filter(Exchange::isRequestId);
        this.id = givenId.orElseGet(() -> UUID.randomUUID().toString().replace("-", ""));
        this.trace = TraceContext.of(head().headers().get("traceparent"));
        this.keepAlive = HttpUtil.isKeepAlive(head());
    }

    /** Has errors written in another shape from now on. */
    synchronized void writeErrorsAs(ErrorShape shape) {
        errors = shape;
    }

    synchronized ErrorShape errors() {
        return errors;
    }

    /** Whether a client's id for a request is short and plain enough to be shown again. */
    static boolean isRequestId(String text) {
        return REQUEST_ID.matcher(text).matches();
    }

    HttpRequest head() {
        return head;
    }

    HttpMethod method() {
        return head().method();
    }

    /** Takes the body, which is forgotten here: it may be large, and what it says is kept in another form. */
    synchronized byte[] takeBody() {
        byte[] taken = body;
        body = NO_BYTES;
        connection.budget().give(taken.length);
        return taken;
    }

    /** The id that the client gave in a header, if it is well-formed. */
    Optional<String> givenId() {
        return givenId;
    }

    String id() {
        return id;
    }

    /** The client's trace, or one that begins here. */
    TraceContext trace() {
        return trace;
    }

    Json json() {
        return connection.json();
    }

    HttpLimits limits() {
        return connection.limits();
    }

    EventLoop loop() {
        return channel.eventLoop();
    }

    /** Whether more can be written without the reader being behind. */
    boolean isWritable() {
        return channel.isWritable();
    }

    /** Has browsers show the answer to pages of an origin. */
    synchronized void shareWith(String origin) {
        sharedWith = Optional.of(origin);
    }

    private synchronized Optional<String> sharedWith() {
        return sharedWith;
    }

    /** Has the connection end after this answer. */
    synchronized void closeAfterwards() {
        keepAlive = false;
    }

    private synchronized boolean keepsAlive() {
        return keepAlive;
    }

    /** Runs when the client is gone; at once if it is gone already. */
    void whenDisconnected(Runnable action) {
        synchronized (this) {
            if (!disconnected) {
                onDisconnect = action;
                return;
            }
        }
        action.run();
    }

    synchronized boolean isDisconnected() {
        return disconnected;
    }

    /** Runs once when the answer is written or the client is gone; at once if that is so already. */
    void whenEnded(Runnable action) {
        synchronized (this) {
            if (!ended) {
                onEnd.add(action);
                return;
            }
        }
        action.run();
    }

    /** Nothing more happens here. */
    void ended() {
        List<Runnable> actions;
        synchronized (this) {
            ended = true;
            actions = List.copyOf(onEnd);
            onEnd.clear();
        }
        actions.forEach(Runnable::run);
    }

    /** Runs on the event loop each time when the reader has caught up. */
    void whenWritable(Runnable action) {
        onWritable = action;
    }

    void disconnected() {
        Runnable action;
        synchronized (this) {
            disconnected = true;
            action = onDisconnect;
        }
        stopComments();
        takeBody();
        if (action != null) {
            action.run();
        }
        ended();
    }

    void writable() {
        if (onWritable != null) {
            onWritable.run();
        }
    }

    /** Cuts the client off. */
    void abandon() {
        channel.close();
    }

    void respond(int status, JsonReply reply) {
        respond(status, NO_HEADERS, reply);
    }

    void respond(int status, Map<String, String> headers, JsonReply reply) {
        respond(status, headers, json().bytes(reply));
    }

    void respondEmpty(int status, Map<String, String> headers) {
        respond(status, headers, NO_BYTES);
    }

    void fail(ApiException problem) {
        if (problem.retryAfterSeconds().isPresent()) {
            int seconds = problem.retryAfterSeconds().getAsInt();
            respond(problem.status(), Map.of("Retry-After", "" + seconds, "retry-after-ms", "" + seconds * 1000),
                    errors().reply(problem));
        } else {
            // The official clients would try it once more, with the same outcome.
            respond(problem.status(), problem.status() == 504 ? Map.of("x-should-retry", "false") : NO_HEADERS,
                    errors().reply(problem));
        }
    }

    void failAndClose(ApiException problem) {
        closeAfterwards();
        fail(problem);
    }

    /** Answers with bytes, which are JSON unless the headers say otherwise. */
    void respond(int status, Map<String, String> headers, byte[] body) {
        if (!loop().inEventLoop()) {
            loop().execute(() -> respond(status, headers, body));
            return;
        }
        if (answered) {
            return;
        }
        answered = true;
        // The answer to HEAD has the headers of the answer to GET and no body.
        ByteBuf content = method().equals(HttpMethod.HEAD) ? Unpooled.EMPTY_BUFFER : Unpooled.wrappedBuffer(body);
        var response = new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.valueOf(status), content);
        HttpHeaders out = response.headers();
        if (body.length > 0) {
            out.set(HttpHeaderNames.CONTENT_TYPE, "application/json");
        }
        if (status != 204) {
            out.setInt(HttpHeaderNames.CONTENT_LENGTH, body.length);
        }
        headers.forEach(out::set);
        common(out);
        channel.writeAndFlush(response);
        connection.answered(this, keepsAlive());
    }

    /** Begins a stream of events. */
    void openStream() {
        if (answered) {
            return;
        }
        answered = true;
        var response = new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.OK);
        HttpHeaders out = response.headers();
        out.set(HttpHeaderNames.CONTENT_TYPE, "text/event-stream; charset=utf-8");
        out.set(HttpHeaderNames.CACHE_CONTROL, "no-cache");
        out.set("X-Accel-Buffering", "no");
        chunked = head().protocolVersion().equals(HttpVersion.HTTP_1_1);
        if (chunked) {
            out.set(HttpHeaderNames.TRANSFER_ENCODING, HttpHeaderValues.CHUNKED);
        } else {
            closeAfterwards();
        }
        common(out);
        channel.writeAndFlush(response);
        long period = limits().keepAlive().toMillis();
        comments = loop().scheduleAtFixedRate(this::comment, period, period, TimeUnit.MILLISECONDS);
    }

    /** Writes one event without a name. */
    void event(JsonReply reply) {
        event("", reply);
    }

    /** Writes one event; an empty name is left out. */
    void event(String name, JsonReply reply) {
        ByteBuf out = channel.alloc().buffer(512);
        try {
            if (!name.isEmpty()) {
                out.writeBytes(EVENT);
                out.writeCharSequence(name, StandardCharsets.US_ASCII);
                out.writeBytes(LINE_END);
            }
            out.writeBytes(DATA);
            json().write(reply, new ByteBufOutputStream(out));
            if (connection.limits().eventIds()) {
                out.writeBytes(ID);
                out.writeCharSequence(Long.toString(++events), StandardCharsets.US_ASCII);
            }
            out.writeBytes(EVENT_END);
        } catch (RuntimeException e) {
            out.release();
            throw e;
        }
        send(out);
    }

    /** Writes the event that says so, if there is to be one, and ends the stream. */
    void endStream(boolean saysDone) {
        stopComments();
        if (saysDone) {
            send(Unpooled.wrappedBuffer(DONE));
        }
        if (chunked) {
            channel.writeAndFlush(LastHttpContent.EMPTY_LAST_CONTENT);
        }
        connection.answered(this, keepsAlive());
    }

    private void send(ByteBuf bytes) {
        silent = false;
        channel.writeAndFlush(new DefaultHttpContent(bytes));
    }

    private void comment() {
        if (silent && isWritable()) {
            channel.writeAndFlush(new DefaultHttpContent(Unpooled.wrappedBuffer(COMMENT)));
        }
        silent = true;
    }

    private void stopComments() {
        if (comments != null) {
            comments.cancel(false);
        }
    }

    private void common(HttpHeaders out) {
        out.set("X-Request-Id", id);
        out.set("X-Content-Type-Options", "nosniff");
        sharedWith().ifPresent(origin -> {
            out.set(HttpHeaderNames.ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            out.set(HttpHeaderNames.ACCESS_CONTROL_EXPOSE_HEADERS, "X-Request-Id, Retry-After, retry-after-ms");
            out.set(HttpHeaderNames.VARY, "Origin");
        });
        if (!keepsAlive()) {
            out.set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
        } else if (!head().protocolVersion().isKeepAliveDefault()) {
            out.set(HttpHeaderNames.CONNECTION, HttpHeaderValues.KEEP_ALIVE);
        }
    }
}
