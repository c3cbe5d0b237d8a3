package org.maniple.kernel.engine;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.maniple.api.text.IncrementalDecoder;
import org.maniple.api.text.TextCodec;

/** Tokens 0 to 25 are letters; the rest are runs of two or three, so that stop texts begin and end inside of tokens. */
final class LetterCodec implements TextCodec {

    static String piece(int id) {
        if (id < 26) {
            return Character.toString('a' + id);
        }
        return piece(id % 26) + piece((id * 7) % 26) + (id % 3 == 0 ? piece(id % 5) : "");
    }

    static String text(List<Integer> ids) {
        return String.join("", ids.stream().map(LetterCodec::piece).toList());
    }

    @Override
    public IncrementalDecoder decoder(int[] prompt, boolean skipSpecial) {
        return new IncrementalDecoder() {
            @Override
            public String push(int id) {
                return piece(id);
            }

            @Override
            public String finish() {
                return "";
            }
        };
    }

    @Override
    public int vocabularySize() {
        return HashModel.VOCABULARY;
    }

    @Override
    public int[] encode(String text, boolean addSpecialTokens) {
        return text.chars().map(letter -> letter - 'a').toArray();
    }

    @Override
    public String decode(int[] ids, boolean skipSpecial) {
        return text(java.util.Arrays.stream(ids).boxed().toList());
    }

    @Override
    public byte[] bytes(int id) {
        return piece(id).getBytes(java.nio.charset.StandardCharsets.UTF_8);
    }

    @Override
    public Optional<String> token(int id) {
        return Optional.of(piece(id));
    }

    @Override
    public OptionalInt id(String token) {
        return OptionalInt.empty();
    }

    @Override
    public boolean special(int id) {
        return false;
    }

    @Override
    public boolean hasChatTemplate() {
        return false;
    }

    @Override
    public String chat(List<Map<String, Object>> messages, Map<String, Object> variables) {
        throw new UnsupportedOperationException();
    }
}
