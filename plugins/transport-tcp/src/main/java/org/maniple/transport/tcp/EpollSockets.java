package org.maniple.transport.tcp;

import io.netty.channel.Channel;
import io.netty.channel.ChannelFactory;
import io.netty.channel.DefaultSelectStrategyFactory;
import io.netty.channel.IoEvent;
import io.netty.channel.IoHandler;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.IoRegistration;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.EpollIoHandle;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollIoOps;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.unix.FileDescriptor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.ClosedChannelException;
import org.jspecify.annotations.Nullable;

/** Linux: reads and writes native memory as it is, and sleeps in epoll. */
final class EpollSockets implements Sockets {

    private static final int MAX_EVENTS = 64;
    /** Edges, since a thread reads and writes until nothing moves before it sleeps; then little has to be changed in between. */
    private static final EpollIoOps READ = EpollIoOps.EPOLLIN.with(EpollIoOps.EPOLLRDHUP).with(EpollIoOps.EPOLLET);
    private static final EpollIoOps READ_AND_WRITE = READ.with(EpollIoOps.EPOLLOUT);

    @Override
    public IoHandlerFactory handlers() {
        return EpollIoHandler.newFactory(MAX_EVENTS, DefaultSelectStrategyFactory.INSTANCE);
    }

    @Override
    public ChannelFactory<ServerChannel> listening() {
        return EpollServerSocketChannel::new;
    }

    @Override
    public ChannelFactory<Channel> connecting() {
        return EpollSocketChannel::new;
    }

    @Override
    public void watchOver(Channel channel) {
        SilenceWatch.start((EpollSocketChannel) channel);
    }

    @Override
    public DataSocket take(Channel channel, boolean looks) {
        return new EpollSocket(((EpollSocketChannel) channel).fd(), Addresses.interfaceOf(channel.localAddress()),
                SocketOptions.linux(channel, looks));
    }

    private static final class EpollSocket implements DataSocket, EpollIoHandle {

        private static final long VECTOR_BYTES = 16;

        private final FileDescriptor descriptor;
        private final String interfaceName;
        private final String options;
        /** Address and length of each piece, as {@code struct iovec}. */
        private final MemorySegment vectors = Arena.ofAuto().allocate(VECTOR_BYTES * Gather.MAX, VECTOR_BYTES);
        private @Nullable IoRegistration registration;
        private boolean awaitsWrite;

        EpollSocket(FileDescriptor descriptor, String interfaceName, String options) {
            this.descriptor = descriptor;
            this.interfaceName = interfaceName;
            this.options = options;
        }

        /** The number of a closed descriptor may be that of another one by now. */
        private void checkOpen() throws IOException {
            if (!descriptor.isOpen()) {
                throw new ClosedChannelException();
            }
        }

        @Override
        public int read(MemorySegment into, long offset, int length) throws IOException {
            checkOpen();
            return descriptor.readAddress(into.address() + offset, 0, length);
        }

        @Override
        public long write(Gather from) throws IOException {
            checkOpen();
            for (int i = 0; i < from.count(); i++) {
                vectors.set(ValueLayout.JAVA_LONG, VECTOR_BYTES * i, from.address(i));
                vectors.set(ValueLayout.JAVA_LONG, VECTOR_BYTES * i + Long.BYTES, from.length(i));
            }
            return descriptor.writevAddresses(vectors.address(), from.count());
        }

        @Override
        public void register(IoHandler poller) throws Exception {
            checkOpen();
            IoRegistration registered = poller.register(this);
            registered.submit(READ);
            registration = registered;
        }

        @Override
        public void interest(boolean reading, boolean writing) {
            IoRegistration registered = registration;
            if (registered != null && writing != awaitsWrite) {
                awaitsWrite = writing;
                registered.submit(writing ? READ_AND_WRITE : READ);
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
        public FileDescriptor fd() {
            return descriptor;
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
                descriptor.close();
            } catch (IOException e) {
                // It is gone in any case.
            }
        }
    }
}
