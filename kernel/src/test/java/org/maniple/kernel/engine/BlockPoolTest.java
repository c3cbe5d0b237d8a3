package org.maniple.kernel.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayDeque;
import java.util.Random;
import org.junit.jupiter.api.Test;

class BlockPoolTest {

    @Test
    void noBlockIsHeldTwice() {
        var random = new Random(1);
        var pool = new BlockPool(50);
        var held = new ArrayDeque<Integer>();
        for (int round = 0; round < 5_000; round++) {
            if (random.nextBoolean() && pool.free() > 0) {
                int taken = pool.take();
                assertTrue(taken >= 0 && taken < 50 && !held.contains(taken));
                held.add(taken);
            } else if (!held.isEmpty()) {
                pool.giveBack(held.removeFirst());
            }
            assertEquals(50 - held.size(), pool.free());
        }
    }

    @Test
    void moreThanThereIsIsAnError() {
        var pool = new BlockPool(1);
        assertThrows(IllegalStateException.class, () -> pool.giveBack(0));
        pool.take();
        assertThrows(IllegalStateException.class, pool::take);
    }
}
