package org.maniple.kernel.structured;

import java.util.Arrays;
import java.util.Comparator;
import java.util.Set;
import org.maniple.api.text.TextCodec;

/**
 * The bytes of all tokens but special ones, as a tree in depth-first order, so that a walk that may not enter a branch goes on behind it.
 * Immutable.
 */
final class TokenTree {

    private final int vocabulary;
    /** For each node its byte, the number of bytes to it, the node behind its branch, and the first of its tokens. */
    private final byte[] octet;
    private final int[] depth;
    private final int[] behind;
    private final int[] firstToken;
    private final int[] tokens;
    private final byte[][] bytes;
    private final int nodes;
    private final int deepest;

    /**
     * Builds the tree.
     *
     * @param codec the tokenizer
     * @param vocabulary token ids of the model; ids that the tokenizer does not know are never allowed
     * @param written special tokens that may be written all the same
     */
    TokenTree(TextCodec codec, int vocabulary, Set<Integer> written) {
        this.vocabulary = vocabulary;
        bytes = new byte[vocabulary][];
        Integer[] ids = new Integer[vocabulary];
        int count = 0;
        int length = 0;
        for (int id = 0; id < vocabulary; id++) {
            bytes[id] = codec.special(id) && !written.contains(id) ? new byte[0] : codec.bytes(id);
            if (bytes[id].length > 0) {
                ids[count++] = id;
                length += bytes[id].length;
            }
        }
        Arrays.sort(ids, 0, count, Comparator.<Integer, byte[]>comparing(id -> bytes[id], Arrays::compareUnsigned)
                .thenComparing(Comparator.naturalOrder()));
        octet = new byte[length];
        depth = new int[length];
        behind = new int[length];
        firstToken = new int[length + 1];
        tokens = new int[count];
        int size = 0;
        int deep = 0;
        int[] path = new int[1];
        byte[] previous = {};
        for (int i = 0; i < count; i++) {
            byte[] word = bytes[ids[i]];
            int mismatch = Arrays.mismatch(previous, word);
            int common = mismatch < 0 ? word.length : mismatch;
            for (int level = common; level < previous.length; level++) {
                behind[path[level]] = size;
            }
            if (path.length < word.length) {
                path = Arrays.copyOf(path, 2 * word.length);
            }
            for (int level = common; level < word.length; level++) {
                path[level] = size;
                octet[size] = word[level];
                depth[size] = level;
                firstToken[size++] = i;
            }
            tokens[i] = ids[i];
            previous = word;
            deep = Math.max(deep, word.length);
        }
        for (int level = 0; level < previous.length; level++) {
            behind[path[level]] = size;
        }
        firstToken[size] = count;
        nodes = size;
        deepest = deep;
    }

    int vocabulary() {
        return vocabulary;
    }

    /** The bytes of a token; none for one that is never allowed. */
    byte[] bytes(int token) {
        return bytes[token];
    }

    int nodes() {
        return nodes;
    }

    /** The greatest number of bytes of a token. */
    int deepest() {
        return deepest;
    }

    int octet(int node) {
        return octet[node] & 0xff;
    }

    /** How many bytes come before the node's own. */
    int depth(int node) {
        return depth[node];
    }

    /** The first node, in order, that is not below this one. */
    int behind(int node) {
        return behind[node];
    }

    /** Sets the bits of the tokens that end at a node. */
    void mark(int node, long[] mask) {
        // A node of which no token ends has the first token of the next node as its first one too.
        for (int i = firstToken[node]; i < firstToken[node + 1]; i++) {
            mask[tokens[i] >>> 6] |= 1L << tokens[i];
        }
    }
}
