package org.maniple.kernel.unit;

import java.util.concurrent.CountDownLatch;

/** A rank process that does nothing but watch its parent. */
final class WatchingProgram {

    private WatchingProgram() {}

    public static void main(String[] arguments) throws InterruptedException {
        ParentWatch.start(System.in, () -> Runtime.getRuntime().halt(1));
        System.out.println("watching " + ProcessHandle.current().pid());
        new CountDownLatch(1).await();
    }
}
