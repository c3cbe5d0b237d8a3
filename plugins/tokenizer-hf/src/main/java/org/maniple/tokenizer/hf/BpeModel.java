package org.maniple.tokenizer.hf;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;

/**
 * Byte pair encoding (Sennrich et al. 2016) over a word: start from characters, apply the earliest rule that fits anywhere, leftmost first,
 * until none fits. A queue of possible merges over a linked list of symbols makes that O(n log n) for a word of n characters.
 */
final class BpeModel {

    /**
     * How characters become first symbols and what is done with unknown ones.
     *
     * @param unknownId    the id of the unknown token, or empty: unknown characters are dropped
     * @param fuseUnknown  neighbouring unknown characters become one unknown token
     * @param byteFallback unknown characters become their UTF-8 bytes as tokens {@code <0x..>} where the vocabulary has them all
     * @param ignoreMerges a word that is a token is that token, whatever the rules say
     * @param prefix       put before every character but the first
     * @param suffix       put after the last character
     */
    record Options(Optional<Integer> unknownId, boolean fuseUnknown, boolean byteFallback, boolean ignoreMerges, String prefix,
            String suffix) {}

    private static final int CACHED_WORDS = 10_000;

    private final Vocabulary vocabulary;
    private final PairRanks rules;
    private final Options options;
    private final int[] characterIds = new int[Character.MAX_VALUE + 1];
    private final int[] byteIds = new int[256];
    private final WordCache cache = new WordCache(CACHED_WORDS);

    BpeModel(Vocabulary vocabulary, PairRanks rules, Options options) {
        this.vocabulary = vocabulary;
        this.rules = rules;
        this.options = options;
        Arrays.fill(characterIds, -1);
        for (int id = 0; id < vocabulary.size(); id++) {
            var token = vocabulary.token(id);
            if (token != null && token.length() == 1) {
                characterIds[token.charAt(0)] = id;
            }
        }
        for (int b = 0; b < 256; b++) {
            byteIds[b] = vocabulary.id(byteToken(b));
        }
    }

    static String byteToken(int unsignedByte) {
        return "<0x" + HexFormat.of().withUpperCase().toHexDigits((byte) unsignedByte) + ">";
    }

    void encode(String word, TokenIds out) {
        if (options.ignoreMerges) {
            int whole = vocabulary.id(word);
            if (whole >= 0) {
                out.add(whole);
                return;
            }
        }
        var known = cache.get(word);
        if (known == null) {
            known = merge(symbols(word));
            cache.put(word, known);
        }
        out.addAll(known);
    }

    private int[] symbols(String word) {
        var ids = new TokenIds();
        boolean unknownPending = false;
        for (int at = 0; at < word.length();) {
            int end = at + Character.charCount(word.codePointAt(at));
            int id = symbolId(word, at, end);
            if (id >= 0) {
                if (unknownPending) {
                    ids.add(options.unknownId.orElseThrow());
                    unknownPending = false;
                }
                ids.add(id);
            } else if (!(options.byteFallback && addBytes(word, at, end, ids)) && options.unknownId.isPresent()) {
                if (unknownPending && !options.fuseUnknown) {
                    ids.add(options.unknownId.get());
                }
                unknownPending = true;
            }
            at = end;
        }
        if (unknownPending) {
            ids.add(options.unknownId.orElseThrow());
        }
        return ids.toArray();
    }

    private int symbolId(String word, int start, int end) {
        boolean affixed = start > 0 && !options.prefix.isEmpty() || end == word.length() && !options.suffix.isEmpty();
        if (!affixed && end == start + 1) {
            return characterIds[word.charAt(start)];
        }
        return vocabulary.id(affixed ? affixed(word, start, end) : word.substring(start, end));
    }

    private String affixed(String word, int start, int end) {
        return (start > 0 ? options.prefix : "") + word.substring(start, end) + (end == word.length() ? options.suffix : "");
    }

    private boolean addBytes(String word, int start, int end, TokenIds ids) {
        var bytes = affixed(word, start, end).getBytes(StandardCharsets.UTF_8);
        for (byte b : bytes) {
            if (byteIds[b & 0xFF] < 0) {
                return false;
            }
        }
        for (byte b : bytes) {
            ids.add(byteIds[b & 0xFF]);
        }
        return true;
    }

    private int[] merge(int[] symbol) {
        int n = symbol.length;
        var next = new int[n];
        var previous = new int[n];
        var queue = new MergeQueue(n);
        for (int i = 0; i < n; i++) {
            next[i] = i + 1 < n ? i + 1 : -1;
            previous[i] = i - 1;
            offer(queue, symbol, i, next[i]);
        }
        while (!queue.isEmpty()) {
            int at = queue.position();
            int rule = queue.handle();
            queue.remove();
            int right = symbol[at] < 0 ? -1 : next[at];
            if (right < 0 || !stillMakes(rule, symbol[at], symbol[right])) {
                continue;
            }
            symbol[at] = rules.merged(rule);
            symbol[right] = -1;
            next[at] = next[right];
            if (next[at] >= 0) {
                previous[next[at]] = at;
            }
            offer(queue, symbol, previous[at], at);
            offer(queue, symbol, at, next[at]);
        }
        return Arrays.stream(symbol).filter(id -> id >= 0).toArray();
    }

    private void offer(MergeQueue queue, int[] symbol, int left, int right) {
        int rule = left < 0 || right < 0 ? -1 : rules.find(symbol[left], symbol[right]);
        if (rule >= 0) {
            queue.add(rules.rank(rule), left, rule);
        }
    }

    /** A merge in the queue may be out of date; the reference applies it if the pair there now makes the same token. */
    private boolean stillMakes(int rule, int left, int right) {
        int now = rules.find(left, right);
        return now >= 0 && rules.merged(now) == rules.merged(rule);
    }
}
