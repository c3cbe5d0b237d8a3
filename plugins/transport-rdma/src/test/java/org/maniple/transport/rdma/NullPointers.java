package org.maniple.transport.rdma;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Opens UCX, and then lets compiled code run into null pointers, which the JVM notices by a signal. */
final class NullPointers {

    static final String ALIVE = "alive after ";
    private static final int TIMES = 30_000;

    private NullPointers() {}

    private record Box(long value) {}

    public static void main(String[] arguments) throws UcxException {
        var library = (UcxLibrary.Loaded) UcxLibrary.load(UcxLibrary.NAME);
        long caught = 0;
        try (Worker worker = Worker.open(library.ucp(), Map.of("TLS", "tcp,self", "NET_DEVICES", "lo"), 2)) {
            worker.progress();
            Box box = new Box(arguments.length);
            for (int round = 0; round < 3; round++) {
                for (int i = 0; i < TIMES; i++) {
                    caught += value(i > TIMES / 2 && i % 3 == 0 ? null : box);
                }
            }
        }
        System.out.println(ALIVE + caught + " of " + List.of(arguments));
    }

    @SuppressWarnings("NullAway") // this is what it is for
    private static long value(@Nullable Box box) {
        try {
            return box.value();
        } catch (NullPointerException e) {
            return 1;
        }
    }
}
