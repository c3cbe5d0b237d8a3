package org.maniple.kernel.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayDeque;
import java.util.HashSet;
import java.util.Random;
import org.junit.jupiter.api.Test;

class BlockPoolTest {

    @Test
    void noBlockIsHeldTwice() {
        var random = new Random(1);
        var pool = new BlockPool(50);
        var held = new ArrayDeque<int[]>();
        var numbers = new HashSet<Integer>();
        for (int round = 0; round < 5_000; round++) {
            if (random.nextBoolean() && pool.free() > 0) {
                int[] taken = pool.take(1 + random.nextInt(pool.free()));
                for (int block : taken) {
                    assertTrue(block >= 0 && block < 50 && numbers.add(block));
                }
                held.add(taken);
            } else if (!held.isEmpty()) {
                int[] back = held.removeFirst();
                for (int block : back) {
                    numbers.remove(block);
                }
                pool.giveBack(back);
            }
            assertEquals(50 - numbers.size(), pool.free());
        }
    }

    @Test
    void moreThanThereIsIsAnError() {
        var pool = new BlockPool(2);
        assertThrows(IllegalStateException.class, () -> pool.take(3));
        assertThrows(IllegalStateException.class, () -> pool.giveBack(new int[1]));
    }
}
