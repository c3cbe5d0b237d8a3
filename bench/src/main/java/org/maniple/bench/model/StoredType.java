package org.maniple.bench.model;

/** Element types with random contents; the layouts of blocks are GGUF's. */
enum StoredType {
    F32(0, 1, 4, Double.NaN), F16(1, 1, 2, Double.NaN), BF16(30, 1, 2, Double.NaN),
    /** Scale, nibbles less 8. */
    Q4_0(2, 32, 18, 4.61),
    /** Scale, minimum, nibbles. */
    Q4_1(3, 32, 20, 4.61),
    /** Scale, high bits, nibbles less 16. */
    Q5_0(6, 32, 22, 9.23),
    /** Scale, minimum, high bits, nibbles. */
    Q5_1(7, 32, 24, 9.23),
    /** Scale, signed bytes. */
    Q8_0(8, 32, 34, 73.6),
    /** Two scales of 6-bit scales and minima, nibbles. */
    Q4_K(12, 256, 144, 250),
    /** Low nibbles, high pairs of bits, signed scales, their scale. */
    Q6_K(14, 256, 210, 1200);

    private final int ggml;
    private final int elements;
    private final int bytes;
    private final double spread;

    StoredType(int ggml, int elements, int bytes, double spread) {
        this.ggml = ggml;
        this.elements = elements;
        this.bytes = bytes;
        this.spread = spread;
    }

    /** Its number in a GGUF file. */
    int ggml() {
        return ggml;
    }

    /** Elements of a block, 1 if there are no blocks. */
    int elements() {
        return elements;
    }

    boolean integer() {
        return elements > 1;
    }

    long bytes(long count) {
        return count / elements * bytes;
    }

    int blockBytes() {
        return bytes;
    }

    /** The scale of a block whose elements are to have a deviation, if its integers are random. */
    float scale(double deviation) {
        return (float) (deviation / spread);
    }
}
