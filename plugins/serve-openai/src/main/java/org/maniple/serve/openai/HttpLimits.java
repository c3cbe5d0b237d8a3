package org.maniple.serve.openai;

import java.time.Duration;

/**
 * What a client may cost before it is cut off.
 *
 * @param lineBytes the longest request line
 * @param headerBytes all header lines together
 * @param headers the number of header lines
 * @param bodyBytes the longest body
 * @param allBodyBytes the bodies of all connections together, until they are read
 * @param connections open connections
 * @param silentPerAddress connections of one address that have not yet sent a whole header; the oldest one gives way
 * @param pipelined requests read ahead of the one that is answered; then reading pauses
 * @param streamBytes bytes of a reply that wait for a slow reader; beyond it the reply's events wait, too
 * @param streamEvents events that wait for a slow reader; beyond it the request is cancelled
 * @param header time for a whole header, from its first byte (or from the connection's beginning)
 * @param bodyIdle time between two pieces of a body
 * @param body time for a whole body
 * @param writeStall time in which a slow reader must take something
 * @param idle time between two requests
 * @param keepAlive time after which a silent stream gets a comment
 * @param linger time for which the rest of a refused request is read and dropped, so that the client sees the answer
 * @param eventIds whether the events of streams are numbered
 */
record HttpLimits(
        int lineBytes,
        int headerBytes,
        int headers,
        int bodyBytes,
        long allBodyBytes,
        int connections,
        int silentPerAddress,
        int pipelined,
        int streamBytes,
        int streamEvents,
        Duration header,
        Duration bodyIdle,
        Duration body,
        Duration writeStall,
        Duration idle,
        Duration keepAlive,
        Duration linger,
        boolean eventIds) {

    private static final int BODIES = 32;

    static HttpLimits standard(int bodyBytes) {
        return new HttpLimits(8 << 10, 32 << 10, 100, bodyBytes, (long) BODIES * bodyBytes, 4096, 256, 16, 256 << 10, 4096,
                Duration.ofSeconds(10), Duration.ofSeconds(30), Duration.ofSeconds(300), Duration.ofSeconds(60),
                Duration.ofSeconds(75), Duration.ofSeconds(15),
                Duration.ofSeconds(2), false);
    }

    HttpLimits numberingEvents(boolean wanted) {
        return new HttpLimits(lineBytes, headerBytes, headers, bodyBytes, allBodyBytes, connections, silentPerAddress, pipelined,
                streamBytes, streamEvents, header, bodyIdle, body, writeStall, idle, keepAlive, linger, wanted);
    }
}
