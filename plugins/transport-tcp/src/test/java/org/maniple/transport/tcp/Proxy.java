package org.maniple.transport.tcp;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;

/** Stands between two ranks and changes what the one that dials sends. */
final class Proxy implements AutoCloseable {

    /** Changes bytes on their way. */
    interface Change {
        /** Called for each piece, with the offset of its first byte since the connection began. */
        void apply(byte[] bytes, int count, long offset);
    }

    private final ServerSocket listening;
    private final String target;
    private final Change change;

    Proxy(String target, Change change) throws IOException {
        this.listening = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
        this.target = target;
        this.change = change;
        Thread.ofVirtual().start(this::serve);
    }

    String address() {
        return "localhost:" + listening.getLocalPort();
    }

    private void serve() {
        while (!listening.isClosed()) {
            try {
                Socket from = listening.accept();
                Socket to = new Socket(Addresses.host(target), Addresses.port(target));
                Thread.ofVirtual().start(() -> pass(from, to, change));
                Thread.ofVirtual().start(() -> pass(to, from, (bytes, count, offset) -> {}));
            } catch (IOException e) {
                // Closed, or one of the ends is gone: then there is nothing to pass on.
            }
        }
    }

    private static void pass(Socket from, Socket to, Change change) {
        byte[] bytes = new byte[1 << 16];
        long offset = 0;
        try (from; to) {
            for (int count = from.getInputStream().read(bytes); count >= 0; count = from.getInputStream().read(bytes)) {
                change.apply(bytes, count, offset);
                to.getOutputStream().write(bytes, 0, count);
                offset += count;
            }
        } catch (IOException e) {
            // One of the ends is gone.
        }
    }

    @Override
    public void close() {
        try {
            listening.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
