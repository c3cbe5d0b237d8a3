package org.maniple.moe.ep;

import java.util.Arrays;
import org.maniple.api.collective.AllToAll;

/** Each message goes to its rank, in one hop. */
final class DirectDelivery implements Delivery {

    private final int choices;
    private final int rowBytes;
    private final int lowLatencyTokens;
    private final Hop hop;
    private final long[] most;

    /**
     * Begins.
     *
     * @param setting what is exchanged
     * @param rowBytes of a row on its way
     * @param lowLatencyTokens the most tokens of any rank for which messages are sent at once; -1: never
     */
    DirectDelivery(AllToAll.Setting setting, int rowBytes, int lowLatencyTokens) {
        this.choices = setting.choices();
        this.rowBytes = rowBytes;
        this.lowLatencyTokens = lowLatencyTokens;
        int ranks = setting.group().size();
        boolean[] others = new boolean[ranks];
        Arrays.fill(others, true);
        others[setting.group().position()] = false;
        this.hop = new Hop(setting.communicator(), setting.group(), others, others, setting.memory());
        this.most = new long[ranks];
    }

    @Override
    public long begin(Room sends, long[] sendBytes, Room receives, long[] receiveBytes, int largest) {
        if (largest > lowLatencyTokens) {
            return hop.beginSizesFirst(sends, sendBytes, receives, receiveBytes);
        }
        Arrays.fill(most, TokenMessage.bytes(largest * choices, largest, rowBytes));
        return hop.beginAtOnce(sends, sendBytes, receives, receiveBytes, most);
    }

    @Override
    public void end() {
        hop.end();
    }
}
