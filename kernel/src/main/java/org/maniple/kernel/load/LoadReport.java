package org.maniple.kernel.load;

/**
 * What a rank has loaded.
 *
 * @param mappedBytes weights used where the checkpoint's files are mapped
 * @param copiedBytes weights in this rank's memory: those whose elements are not stored one after the other, those that are decoded
 *     (MXFP4, as BF16) or packed for the back end, and the factors of FP8 weights
 * @param replicatedBytes the part of both that every rank of the stage holds
 * @param modelBytes weights of the whole model, each once, as a rank holds them
 */
public record LoadReport(long mappedBytes, long copiedBytes, long replicatedBytes, long modelBytes) {

    /**
     * Weights that this rank holds.
     *
     * @return bytes
     */
    public long bytes() {
        return mappedBytes + copiedBytes;
    }
}
