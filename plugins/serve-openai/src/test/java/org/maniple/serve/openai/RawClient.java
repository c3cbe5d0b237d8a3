package org.maniple.serve.openai;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/** A socket without any HTTP library, for what no library would send. */
final class RawClient implements AutoCloseable {

    final Socket socket;
    final InputStream in;

    RawClient(TestServer server) throws IOException {
        socket = new Socket(InetAddress.getLoopbackAddress(), server.port());
        socket.setSoTimeout(20_000);
        in = socket.getInputStream();
    }

    /** Sends bytes and reads until the server ends the connection. */
    static String ask(TestServer server, String request) throws IOException {
        try (RawClient client = new RawClient(server)) {
            client.send(request);
            return client.rest();
        }
    }

    void send(String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
        socket.getOutputStream().flush();
    }

    /** Reads until a text has come. */
    String until(String end) throws IOException {
        StringBuilder text = new StringBuilder();
        while (text.indexOf(end) < 0) {
            int next = in.read();
            if (next < 0) {
                throw new IOException("the connection ended after [" + text + "]");
            }
            text.append((char) next);
        }
        return text.toString();
    }

    String rest() throws IOException {
        return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
