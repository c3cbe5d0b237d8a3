package org.maniple.serve.openai;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Takes what is posted to it, and answers each time with one status. */
final class FakeCollector implements AutoCloseable {

    private static final Pattern LENGTH = Pattern.compile("(?i)content-length: (\\d+)");

    private final ServerSocket socket = new ServerSocket(0, 16, InetAddress.getLoopbackAddress());
    private final BlockingQueue<String> posted = new LinkedBlockingQueue<>();
    private final int status;

    FakeCollector(int status) throws IOException {
        this.status = status;
        Thread.ofPlatform().daemon().name("collector").start(this::run);
    }

    String url() {
        return "http://127.0.0.1:" + socket.getLocalPort();
    }

    /** The head and the body of the next request. */
    String next() throws InterruptedException {
        String next = posted.poll(30, TimeUnit.SECONDS);
        if (next == null) {
            throw new AssertionError("nothing was posted");
        }
        return next;
    }

    private void run() {
        while (!socket.isClosed()) {
            try (Socket client = socket.accept()) {
                String head = head(client.getInputStream());
                Matcher length = LENGTH.matcher(head);
                int bytes = length.find() ? Integer.parseInt(length.group(1)) : 0;
                posted.add(head + new String(client.getInputStream().readNBytes(bytes), StandardCharsets.UTF_8));
                client.getOutputStream()
                        .write(("HTTP/1.1 " + status + " Whatever\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                                .getBytes(StandardCharsets.US_ASCII));
            } catch (IOException e) {
                // The test is over, or the client is gone.
            }
        }
    }

    private static String head(InputStream in) throws IOException {
        var head = new ByteArrayOutputStream();
        while (!head.toString(StandardCharsets.US_ASCII).endsWith("\r\n\r\n")) {
            int next = in.read();
            if (next < 0) {
                throw new IOException("no whole head");
            }
            head.write(next);
        }
        return head.toString(StandardCharsets.US_ASCII);
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
