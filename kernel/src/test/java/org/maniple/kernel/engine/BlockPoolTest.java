package org.maniple.kernel.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayDeque;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class BlockPoolTest {

    private static long[] key(long number) {
        return new long[] {number * 31, number, -number, 7};
    }

    @Test
    void noBlockIsTakenWhileSomebodyHoldsIt() {
        var random = new Random(1);
        var pool = new BlockPool(50);
        var held = new ArrayDeque<Integer>();
        long keys = 0;
        for (int round = 0; round < 20_000; round++) {
            int what = random.nextInt(4);
            if (what == 0 && pool.free() > 0) {
                int taken = pool.take();
                assertTrue(taken >= 0 && taken < 50 && !held.contains(taken));
                held.add(taken);
            } else if (what == 1 && !held.isEmpty()) {
                pool.publish(key(keys++), 0, held.getLast());
            } else if (what == 2 && keys > 0) {
                int found = pool.find(key(keys - 1 - random.nextInt((int) Math.min(keys, 60))), 0);
                if (found >= 0) {
                    pool.share(found);
                    held.add(found);
                }
            } else if (!held.isEmpty()) {
                pool.giveBack(held.removeFirst());
            }
            assertEquals(50 - new HashSet<>(held).size(), pool.free());
        }
    }

    @Test
    void whatIsPublishedStaysUntilEverythingElseIsTakenAndTheOldestGoesFirst() {
        var pool = new BlockPool(4);
        int[] blocks = {pool.take(), pool.take(), pool.take()};
        for (int i = 0; i < 3; i++) {
            pool.publish(key(i), 0, blocks[i]);
        }
        for (int i : new int[] {1, 0, 2}) {
            pool.giveBack(blocks[i]);
        }
        pool.take();
        assertEquals(blocks[1], pool.find(key(1), 0));
        assertEquals(blocks[1], pool.take());
        assertEquals(-1, pool.find(key(1), 0));
        // Used once more, it is the newest.
        pool.share(blocks[0]);
        pool.giveBack(blocks[0]);
        assertEquals(blocks[2], pool.take());
        assertEquals(blocks[0], pool.take());
        assertEquals(0, pool.free());
    }

    @Test
    void theFirstBlockWithAKeyStaysTheOneThatIsFound() {
        var pool = new BlockPool(4);
        int first = pool.take();
        int second = pool.take();
        pool.publish(key(5), 0, first);
        pool.publish(key(5), 0, second);
        assertEquals(first, pool.find(key(5), 0));
        pool.giveBack(second);
        assertEquals(second, pool.take());
    }

    @Test
    void afterForgettingAllBlocksAreFreeAndNoneIsFound() {
        var pool = new BlockPool(3);
        int held = pool.take();
        int ended = pool.take();
        pool.publish(key(1), 0, held);
        pool.publish(key(2), 0, ended);
        pool.giveBack(ended);
        pool.forget();
        assertEquals(-1, pool.find(key(1), 0));
        assertEquals(-1, pool.find(key(2), 0));
        pool.giveBack(held);
        assertEquals(3, pool.free());
        assertEquals(3, new HashSet<>(List.of(pool.take(), pool.take(), pool.take())).size());
    }

    @Test
    void moreThanThereIsIsAnError() {
        var pool = new BlockPool(1);
        assertThrows(IllegalStateException.class, () -> pool.giveBack(0));
        pool.take();
        assertThrows(IllegalStateException.class, pool::take);
    }
}
