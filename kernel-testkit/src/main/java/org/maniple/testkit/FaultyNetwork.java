package org.maniple.testkit;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.maniple.api.Availability;
import org.maniple.api.PluginContext;
import org.maniple.api.transport.ControlLink;
import org.maniple.api.transport.ControlTransport;
import org.maniple.api.transport.Endpoint;
import org.maniple.api.transport.Wire;

/**
 * A transport over a network that corrupts, delays, drops, reorders and cuts, below whatever the transport does against that. For transports whose
 * addresses are {@code host:port} and whose connections all lead there. Faults begin when a test says so, for example when all links are up.
 */
public final class FaultyNetwork implements ControlTransport {

    /** What becomes of bytes on their way. */
    @FunctionalInterface
    public interface Fault {
        /**
         * Passes a piece on. Called for the pieces of each direction of each connection in order, by a thread for each.
         *
         * @param piece the bytes; may be changed
         * @param offset of the first one, counted in this direction of this connection since the fault began
         * @param onwards takes what is to arrive
         * @throws IOException to cut the connection
         */
        void pass(byte[] piece, long offset, OutputStream onwards) throws IOException;
    }

    private static final int PIECE = 64 << 10;
    private static final int BACKLOG = 64;

    private final ControlTransport inner;
    private final boolean backwards;
    private final AtomicReference<Fault> fault = new AtomicReference<>(none());

    /**
     * A network without faults.
     *
     * @param inner what uses it
     * @param backwards whether faults also meet what the end says that was dialled
     */
    public FaultyNetwork(ControlTransport inner, boolean backwards) {
        this.inner = inner;
        this.backwards = backwards;
    }

    /**
     * Begins a fault, which takes the place of the one before.
     *
     * @param next meets all bytes from now on
     */
    public void inject(Fault next) {
        fault.set(next);
    }

    /**
     * No fault.
     *
     * @return passes everything on
     */
    public static Fault none() {
        return (piece, offset, onwards) -> onwards.write(piece);
    }

    /**
     * Changes one byte.
     *
     * @param at its offset
     * @param bits which bits of it are flipped
     * @return the fault
     */
    public static Fault corrupt(long at, int bits) {
        return (piece, offset, onwards) -> {
            if (offset <= at && at < offset + piece.length) {
                piece[(int) (at - offset)] ^= (byte) bits;
            }
            onwards.write(piece);
        };
    }

    /**
     * Cuts what is sent into small pieces, and has some of them wait.
     *
     * @param seed of chance
     * @param most bytes of a piece
     * @param millis how long one in sixteen waits at most
     * @return the fault
     */
    public static Fault delay(long seed, int most, int millis) {
        return (piece, offset, onwards) -> {
            var random = new SplittableRandom(seed + offset);
            for (int at = 0; at < piece.length;) {
                int count = Math.min(piece.length - at, 1 + random.nextInt(most));
                onwards.write(piece, at, count);
                onwards.flush();
                at += count;
                if (random.nextInt(16) == 0) {
                    LockSupport.parkNanos(random.nextInt(millis + 1) * 1_000_000L);
                }
            }
        };
    }

    /**
     * Loses bytes.
     *
     * @param at the offset of the first one
     * @param count how many
     * @return the fault
     */
    public static Fault drop(long at, int count) {
        return (piece, offset, onwards) -> {
            int from = Math.clamp(at - offset, 0, piece.length);
            int to = Math.clamp(at + count - offset, 0, piece.length);
            onwards.write(piece, 0, from);
            onwards.write(piece, to, piece.length - to);
        };
    }

    /**
     * Exchanges two neighbouring runs of bytes, if they come together.
     *
     * @param at the offset of the first one
     * @param count how long each of them is
     * @return the fault
     */
    public static Fault reorder(long at, int count) {
        return (piece, offset, onwards) -> {
            int from = (int) (at - offset);
            if (at >= offset && from + 2 * count <= piece.length) {
                byte[] first = Arrays.copyOfRange(piece, from, from + count);
                System.arraycopy(piece, from + count, piece, from, count);
                System.arraycopy(first, 0, piece, from + count, count);
            }
            onwards.write(piece);
        };
    }

    /**
     * Ends the connection.
     *
     * @param at after so many bytes
     * @return the fault
     */
    public static Fault cut(long at) {
        return (piece, offset, onwards) -> {
            int left = Math.clamp(at - offset, 0, piece.length);
            onwards.write(piece, 0, left);
            onwards.flush();
            if (left < piece.length) {
                throw new IOException("cut");
            }
        };
    }

    @Override
    public String name() {
        return inner.name();
    }

    @Override
    public Endpoint open(Identity identity, Bind bind, PluginContext context) {
        Endpoint endpoint = inner.open(identity, bind, context);
        try {
            return new Distant(endpoint, new Cable(endpoint.address()));
        } catch (IOException e) {
            endpoint.close();
            throw new UncheckedIOException(e);
        }
    }

    /** An endpoint at the other end of a cable. */
    private record Distant(Endpoint endpoint, Cable cable) implements Endpoint {

        @Override
        public String address() {
            return cable.address();
        }

        @Override
        public Availability reach(String address) {
            return endpoint.reach(address);
        }

        @Override
        public void accept(Acceptor acceptor) {
            endpoint.accept(acceptor);
        }

        @Override
        public ControlLink dial(String address, int peer, Duration limit) {
            return endpoint.dial(address, peer, limit);
        }

        @Override
        public Wire connect(List<String> addresses, Set<Integer> peers, Duration limit) {
            return endpoint.connect(addresses, peers, limit);
        }

        @Override
        public void close() {
            endpoint.close();
            cable.close();
        }
    }

    /** Listens in the place of an endpoint, and passes on what comes. */
    private final class Cable {

        private final ServerSocket listening = new ServerSocket(0, BACKLOG, InetAddress.getLoopbackAddress());
        private final String host;
        private final int port;

        Cable(String target) throws IOException {
            int colon = target.lastIndexOf(':');
            this.host = target.substring(0, colon);
            this.port = Integer.parseInt(target.substring(colon + 1));
            Thread.ofPlatform().daemon().name("cable").start(this::serve);
        }

        String address() {
            return host + ":" + listening.getLocalPort();
        }

        private void serve() {
            while (!listening.isClosed()) {
                try {
                    Socket from = listening.accept();
                    connect(from);
                } catch (IOException e) {
                    // Closed.
                }
            }
        }

        private void connect(Socket from) throws IOException {
            try {
                Socket to = new Socket(host, port);
                from.setTcpNoDelay(true);
                to.setTcpNoDelay(true);
                Thread.ofPlatform().daemon().name("cable-there").start(() -> pass(from, to, true));
                Thread.ofPlatform().daemon().name("cable-back").start(() -> pass(to, from, backwards));
            } catch (IOException e) {
                // Nobody listens any more: who has dialled finds out.
                from.close();
            }
        }

        private void pass(Socket from, Socket to, boolean faulty) {
            byte[] bytes = new byte[PIECE];
            Fault current = none();
            long offset = 0;
            try (from; to) {
                InputStream in = from.getInputStream();
                OutputStream out = to.getOutputStream();
                for (int count = in.read(bytes); count >= 0; count = in.read(bytes)) {
                    Fault injected = fault.get();
                    if (faulty && !injected.equals(current)) {
                        current = injected;
                        offset = 0;
                    }
                    current.pass(Arrays.copyOf(bytes, count), offset, out);
                    offset += count;
                }
            } catch (IOException e) {
                // One of the ends is gone, or it is cut.
            }
        }

        void close() {
            try {
                listening.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
