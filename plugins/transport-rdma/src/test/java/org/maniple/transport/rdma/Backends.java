package org.maniple.transport.rdma;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.List;
import java.util.Optional;

/** What UCX can do without a device, so that everything but the name of the device is the same as with one. */
final class Backends {

    private Backends() {}

    static RdmaSettings settings(String... transports) {
        return new RdmaSettings(UcxLibrary.NAME, List.of(transports), List.of(), Optional.empty(), Optional.empty(),
                Optional.empty(),
                Optional.empty(), Optional.empty());
    }

    /** Over TCP on the loopback interface. */
    static RdmaTransport tcp() {
        return on(new RdmaSettings(UcxLibrary.NAME, List.of("tcp"), List.of("lo"), Optional.empty(), Optional.empty(),
                Optional.empty(),
                Optional.empty(), Optional.empty()));
    }

    /** Over memory of this host. */
    static RdmaTransport sharedMemory() {
        return on(settings("posix", "cma"));
    }

    static RdmaTransport on(RdmaSettings settings) {
        library();
        return new RdmaTransport(settings);
    }

    /** The library, without which a test is left out. */
    static UcxLibrary.Loaded library() {
        UcxLibrary.Result result = UcxLibrary.load(UcxLibrary.NAME);
        assumeTrue(result instanceof UcxLibrary.Loaded, () -> "left out, since UCX is not here: " + result);
        return (UcxLibrary.Loaded) result;
    }
}
