package org.maniple.kernel.structured;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import org.maniple.api.text.IncrementalDecoder;
import org.maniple.api.text.TextCodec;

/** A vocabulary for tests: all single bytes, some longer tokens, and a special token at the end. */
final class ListCodec implements TextCodec {

    private final List<byte[]> tokens;

    private ListCodec(List<byte[]> tokens) {
        this.tokens = tokens;
    }

    static ListCodec of(String... words) {
        List<byte[]> tokens = new ArrayList<>();
        for (int octet = 0; octet < 256; octet++) {
            tokens.add(new byte[] {(byte) octet});
        }
        for (String word : words) {
            tokens.add(word.getBytes(StandardCharsets.UTF_8));
        }
        tokens.add("</s>".getBytes(StandardCharsets.UTF_8));
        return new ListCodec(tokens);
    }

    /** With pieces of a text as further tokens, as a trained tokenizer would have them. */
    static ListCodec piecesOf(String text, int count, long seed) {
        var random = new Random(seed);
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        List<byte[]> tokens = new ArrayList<>(of().tokens.subList(0, 256));
        for (int i = 0; i < count; i++) {
            int from = random.nextInt(bytes.length - 12);
            tokens.add(java.util.Arrays.copyOfRange(bytes, from, from + 2 + random.nextInt(8)));
        }
        tokens.add("</s>".getBytes(StandardCharsets.UTF_8));
        return new ListCodec(tokens);
    }

    int end() {
        return tokens.size() - 1;
    }

    @Override
    public int vocabularySize() {
        return tokens.size();
    }

    @Override
    public byte[] bytes(int id) {
        return id < tokens.size() ? tokens.get(id) : new byte[0];
    }

    @Override
    public boolean special(int id) {
        return id == end();
    }

    @Override
    public int[] encode(String text, boolean addSpecialTokens) {
        throw new UnsupportedOperationException("not needed here");
    }

    @Override
    public String decode(int[] ids, boolean skipSpecial) {
        throw new UnsupportedOperationException("not needed here");
    }

    @Override
    public IncrementalDecoder decoder(int[] prompt, boolean skipSpecial) {
        throw new UnsupportedOperationException("not needed here");
    }

    @Override
    public Optional<String> token(int id) {
        return Optional.empty();
    }

    @Override
    public OptionalInt id(String token) {
        return token.equals("</s>") ? OptionalInt.of(end()) : OptionalInt.empty();
    }

    @Override
    public boolean hasChatTemplate() {
        return false;
    }

    @Override
    public String chat(List<Map<String, Object>> messages, Map<String, Object> variables) {
        throw new UnsupportedOperationException("not needed here");
    }
}
