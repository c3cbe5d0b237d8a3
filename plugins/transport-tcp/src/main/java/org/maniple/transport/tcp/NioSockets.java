package org.maniple.transport.tcp;

import io.netty.channel.Channel;
import io.netty.channel.ChannelFactory;
import io.netty.channel.IoEvent;
import io.netty.channel.IoHandler;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.IoRegistration;
import io.netty.channel.ServerChannel;
import io.netty.channel.nio.NioIoHandle;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.nio.NioIoOps;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SocketChannel;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Any host: sockets of the JDK. Makes small objects for every read and write. */
final class NioSockets implements Sockets {

    @Override
    public IoHandlerFactory handlers() {
        return NioIoHandler.newFactory();
    }

    @Override
    public ChannelFactory<ServerChannel> listening() {
        return Listening::new;
    }

    @Override
    public ChannelFactory<Channel> connecting() {
        return Connection::new;
    }

    @Override
    public void watchOver(Channel channel) {
        // The JDK does not tell; what is left is that the other end falls silent.
    }

    @Override
    public DataSocket take(Channel channel, boolean looks) {
        return new NioSocket(((Connection) channel).javaChannel(), Addresses.interfaceOf(channel.localAddress()),
                SocketOptions.plain(channel));
    }

    /** A connection that lets its socket be taken. */
    static final class Connection extends NioSocketChannel {

        /** Not connected yet. */
        Connection() {}

        private Connection(Channel parent, SocketChannel socket) {
            super(parent, socket);
        }

        @Override
        protected SocketChannel javaChannel() {
            return super.javaChannel();
        }
    }

    /** Accepts such connections. */
    static final class Listening extends NioServerSocketChannel {

        @Override
        protected int doReadMessages(List<Object> accepted) throws IOException {
            SocketChannel socket = javaChannel().accept();
            if (socket == null) {
                return 0;
            }
            accepted.add(new Connection(this, socket));
            return 1;
        }
    }

    private static final class NioSocket implements DataSocket, NioIoHandle {

        private final SocketChannel socket;
        private final String interfaceName;
        private final String options;
        private final ByteBuffer[] pieces = new ByteBuffer[Gather.MAX];
        private @Nullable IoRegistration registration;
        private NioIoOps operations = NioIoOps.NONE;

        NioSocket(SocketChannel socket, String interfaceName, String options) {
            this.socket = socket;
            this.interfaceName = interfaceName;
            this.options = options;
        }

        @Override
        public int read(MemorySegment into, long offset, int length) throws IOException {
            return socket.read(into.asSlice(offset, length).asByteBuffer());
        }

        @Override
        public long write(Gather from) throws IOException {
            for (int i = 0; i < from.count(); i++) {
                pieces[i] = from.slice(i).asByteBuffer();
            }
            return socket.write(pieces, 0, from.count());
        }

        @Override
        public void register(IoHandler poller) throws Exception {
            registration = poller.register(this);
        }

        @Override
        public void interest(boolean reading, boolean writing) {
            NioIoOps wanted = NioIoOps.valueOf((reading ? NioIoOps.READ.value() : 0) | (writing ? NioIoOps.WRITE.value() : 0));
            IoRegistration registered = registration;
            if (registered != null && !wanted.equals(operations)) {
                operations = wanted;
                registered.submit(wanted);
            }
        }

        @Override
        public String interfaceName() {
            return interfaceName;
        }

        @Override
        public String options() {
            return options;
        }

        @Override
        public SelectableChannel selectableChannel() {
            return socket;
        }

        @Override
        public void handle(IoRegistration registered, IoEvent event) {
            // The wire looks at all its links when it is woken up.
        }

        @Override
        public void close() {
            IoRegistration registered = registration;
            registration = null;
            if (registered != null) {
                registered.cancel();
            }
            try {
                socket.close();
            } catch (IOException e) {
                // It is gone in any case.
            }
        }
    }
}
