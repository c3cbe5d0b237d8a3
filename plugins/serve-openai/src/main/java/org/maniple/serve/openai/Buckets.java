package org.maniple.serve.openai;

import java.util.stream.DoubleStream;

/** The bounds of vLLM's histograms: dashboards that put several servers together need the same ones everywhere. */
final class Buckets {

    private Buckets() {}

    static double[] firstToken() {
        return new double[] {0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0,
            40.0,
            80.0, 160.0, 640.0, 2560.0};
    }

    static double[] nextToken() {
        return new double[] {0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0,
            80.0};
    }

    static double[] request() {
        return new double[] {0.3, 0.5, 0.8, 1.0, 1.5, 2.0, 2.5, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 60.0, 120.0, 240.0,
            480.0,
            960.0, 1920.0, 7680.0};
    }

    static double[] step() {
        return new double[] {1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384};
    }

    static double[] choices() {
        return new double[] {1, 2, 5, 10, 20};
    }

    /** 1, 2, 5, 10, 20, 50 and so on, as far as there can be so many tokens. */
    static double[] tokens(int most) {
        return DoubleStream.iterate(1, power -> power <= most, power -> power * 10)
                .flatMap(power -> DoubleStream.of(power, 2 * power, 5 * power)).filter(bound -> bound <= most).toArray();
    }
}
