package org.maniple.api.frontend;

import org.maniple.api.Extension;
import org.maniple.api.PluginContext;
import org.maniple.api.engine.Engine;

/** A way for clients to reach a unit. Runs in rank 0 only, and opens its port only when the whole unit can serve. */
public interface Frontend extends Extension {

    /**
     * Begins to serve. The keys {@code host} and {@code port} say where to listen.
     *
     * @param engine the running unit
     * @param context the plugin's context
     * @return the running frontend
     * @throws org.maniple.api.ManipleException if the port cannot be listened on; names host and port
     */
    Serving serve(Engine engine, PluginContext context);

    /** A running frontend. */
    interface Serving extends AutoCloseable {

        /**
         * Where clients reach it.
         *
         * @return for example {@code http://127.0.0.1:8000}
         */
        String url();

        /**
         * Takes no new requests from now on; running ones go on, and health checks say that the unit is not ready.
         *
         * @param reason why, for clients
         */
        void drain(String reason);

        /** Ends what still runs, and stops listening. */
        @Override
        void close();
    }
}
