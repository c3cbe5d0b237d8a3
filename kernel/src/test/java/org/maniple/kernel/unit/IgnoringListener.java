package org.maniple.kernel.unit;

import org.maniple.api.transport.ControlLink;

/** The listener of a rank that does not care. */
final class IgnoringListener implements ControlLink.Listener {
    @Override
    public void message(byte[] message) {}

    @Override
    public void closed(String reason) {}
}
