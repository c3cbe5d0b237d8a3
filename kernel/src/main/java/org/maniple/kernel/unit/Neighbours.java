package org.maniple.kernel.unit;

import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import org.maniple.api.transport.HostProcess;
import org.maniple.api.transport.ProcessWatch;

/**
 * Looks whether ranks on this host are stopped: their control links stay open then, and their silence alone would have to last long, because a busy
 * machine is not a broken one. Ranks that end need not be looked at, since their links are closed.
 */
final class Neighbours {

    private final int self;
    private @Nullable ProcessWatch<Member> watch;
    private boolean closed;

    Neighbours(int self) {
        this.self = self;
    }

    /** Begins to watch those members whose processes can be seen from here. */
    synchronized void watch(List<Member> members, BiConsumer<Member, String> stopped) {
        if (!closed) {
            watch = ProcessWatch.start("unit-watch", visible(members), ProcessWatch.STOPPED, (member, how) -> {}, stopped);
        }
    }

    private Map<Member, HostProcess> visible(List<Member> members) {
        var visible = new HashMap<Member, HostProcess>();
        try {
            HostProcess here = HostProcess.here();
            for (Member member : members) {
                // The kernel may keep processes of other users to itself.
                HostProcess.parse(member.process())
                        .filter(process -> member.rank() != self && here.seesOther(process) && process.state().isPresent())
                        .ifPresent(process -> visible.put(member, process));
            }
        } catch (IOException e) {
            // Not on Linux: silence has to do.
        }
        return visible;
    }

    synchronized void close() {
        closed = true;
        if (watch != null) {
            watch.close();
        }
    }
}
