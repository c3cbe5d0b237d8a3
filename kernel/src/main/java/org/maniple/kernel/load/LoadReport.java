package org.maniple.kernel.load;

/**
 * What a rank has loaded.
 *
 * @param mappedBytes weights used where the checkpoint's files are mapped
 * @param copiedBytes weights copied into this rank's memory because their elements are not stored one after the other
 * @param replicatedBytes the part of both that every rank of the stage holds
 * @param modelBytes weights of the whole model, each once
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
