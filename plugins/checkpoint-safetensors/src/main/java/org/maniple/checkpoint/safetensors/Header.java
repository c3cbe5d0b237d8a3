package org.maniple.checkpoint.safetensors;

import java.util.Map;
import org.maniple.api.checkpoint.StoredTensor;

/**
 * The checked header of a file.
 *
 * @param dataStart the file's first byte after the header
 * @param tensors by name, in the order of the header
 */
record Header(long dataStart, Map<String, Entry> tensors) {

    /**
     * A tensor of the file.
     *
     * @param tensor its header
     * @param offset its first byte, counted from {@link Header#dataStart()}
     */
    record Entry(StoredTensor tensor, long offset) {

        long end() {
            return offset + tensor.bytes();
        }
    }
}
