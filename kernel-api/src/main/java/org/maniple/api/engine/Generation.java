package org.maniple.api.engine;

/** A running request. Safe for use by several threads. */
public interface Generation {

    /**
     * The request's id.
     *
     * @return as given
     */
    String id();

    /** Ends the request as soon as possible; a {@link GenerationEvent.Finished} with ABORT follows unless it has ended already. */
    void cancel();
}
