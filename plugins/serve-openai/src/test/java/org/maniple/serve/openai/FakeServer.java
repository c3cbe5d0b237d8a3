package org.maniple.serve.openai;

import java.util.Map;

/** Serves the {@link FakeEngine} until its input ends, to try clients by hand: the port is the only argument. */
final class FakeServer {

    private FakeServer() {}

    public static void main(String[] arguments) throws Exception {
        try (TestServer server = new TestServer(new FakeEngine(), Map.of("port", Integer.parseInt(arguments[0])), TestServer.LIMITS)) {
            System.out.println(server.serving.url());
            while (System.in.read() >= 0) {
                // Only the end of the input counts.
            }
        }
    }
}
