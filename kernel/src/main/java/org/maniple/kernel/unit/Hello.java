package org.maniple.kernel.unit;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.maniple.api.transport.HostProcess;

/**
 * What a rank says about itself before it may be part of a unit. Rank 0 compares each with its own.
 *
 * @param protocol the version of the messages between ranks; {@link #PROTOCOL} for this software
 * @param version the version of the software
 * @param epoch how often the unit has been built
 * @param rank its number
 * @param host where it runs, for messages
 * @param processId the number of its process, for messages
 * @param process its process as others of its host see it; empty if the system does not tell. See {@link HostProcess}
 * @param incarnation an identifier that no other process ever has
 * @param address what peers dial to reach it
 * @param ports what peers need to exchange data with it, by transport
 * @param plugins versions of its plugins by identifier
 * @param configuration what must be alike on all ranks, by key, as text; no secrets
 * @param model fingerprints of the model's files by name
 * @param program the fingerprint of the compiled program
 * @param coordinates where it stands on the mesh, by dimension, outermost first
 * @param weightBytes weights that it is going to load
 * @param serves whether clients can reach the unit through it
 */
public record Hello(
        int protocol,
        String version,
        long epoch,
        int rank,
        String host,
        long processId,
        String process,
        String incarnation,
        String address,
        SortedMap<String, String> ports,
        SortedMap<String, String> plugins,
        SortedMap<String, String> configuration,
        SortedMap<String, String> model,
        String program,
        Map<String, Integer> coordinates,
        long weightBytes,
        boolean serves)
        implements UnitMessage {

    /** The version of the messages between ranks. */
    public static final int PROTOCOL = 5;

    /** Copies the maps. */
    public Hello {
        ports = Collections.unmodifiableSortedMap(new TreeMap<>(ports));
        plugins = Collections.unmodifiableSortedMap(new TreeMap<>(plugins));
        configuration = Collections.unmodifiableSortedMap(new TreeMap<>(configuration));
        model = Collections.unmodifiableSortedMap(new TreeMap<>(model));
        coordinates = Collections.unmodifiableMap(new LinkedHashMap<>(coordinates));
    }

    /** The rank and its machine, for messages. */
    String who() {
        return "rank " + rank + " on " + host;
    }
}
