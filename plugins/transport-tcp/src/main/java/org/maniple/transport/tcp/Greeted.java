package org.maniple.transport.tcp;

import io.netty.channel.Channel;

/**
 * A connection whose ends have proved who they are. It is not read from until somebody takes it; if it is
 * a data link, no event loop serves it any more.
 *
 * @param channel the connection
 * @param rest what came after the handshake
 */
record Greeted(Channel channel, byte[] rest) {}
