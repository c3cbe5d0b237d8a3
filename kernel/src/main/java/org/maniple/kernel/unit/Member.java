package org.maniple.kernel.unit;

import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;
import org.maniple.api.transport.HostProcess;

/**
 * A rank of a unit that has come together.
 *
 * @param rank its number
 * @param host where it runs, for messages
 * @param address what peers dial to reach it
 * @param process its process as others of its host see it; empty if the system does not tell. See {@link HostProcess}
 * @param ports what peers need to exchange data with it, by transport
 */
public record Member(int rank, String host, String address, String process, SortedMap<String, String> ports) {

    /** Copies the map. */
    public Member {
        ports = Collections.unmodifiableSortedMap(new TreeMap<>(ports));
    }
}
