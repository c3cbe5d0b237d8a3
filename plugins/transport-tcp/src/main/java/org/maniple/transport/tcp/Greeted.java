package org.maniple.transport.tcp;

import io.netty.channel.Channel;

/**
 * A connection whose ends have proved who they are. It is not read from until somebody takes it; if it is
 * a data link, no event loop serves it any more.
 *
 * @param channel the connection
 * @param protection of what is said from now on
 * @param rest what came after the handshake; of a data link as it came, of a control link as it was sent
 */
record Greeted(Channel channel, Protection protection, byte[] rest) {}
