package org.maniple.serve.openai;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.maniple.api.text.IncrementalDecoder;
import org.maniple.api.text.TextCodec;
import org.maniple.api.text.TextException;

/**
 * A tokenizer for tests: each byte is a token, 256 begins a text and 257 ends it. Its chat template writes each message as
 * {@code <role>content</role>}, and refuses the role {@code forbidden}.
 */
class ByteCodec implements TextCodec {

    static final int BEGIN = 256;
    static final int END = 257;
    static final int VOCABULARY = 258;

    /** A text that the tokenizer has as its token for the end, which is a special one. */
    volatile String mark = "</s>";
    /** What the template puts at the end of a prompt. */
    volatile String ending = "";
    /** The variables that the template saw last. */
    volatile Map<String, Object> seenVariables = Map.of();
    /** The messages that the template saw last. */
    volatile List<Map<String, Object>> seenMessages = List.of();

    @Override
    public int vocabularySize() {
        return VOCABULARY;
    }

    @Override
    public int[] encode(String text, boolean addSpecialTokens) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        int[] ids = new int[bytes.length + (addSpecialTokens ? 1 : 0)];
        int at = 0;
        if (addSpecialTokens) {
            ids[at++] = BEGIN;
        }
        for (byte b : bytes) {
            ids[at++] = b & 0xFF;
        }
        return ids;
    }

    @Override
    public String decode(int[] ids, boolean skipSpecial) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (int id : ids) {
            if (!special(id) || !skipSpecial) {
                out.writeBytes(bytes(id));
            }
        }
        return out.toString(StandardCharsets.UTF_8);
    }

    @Override
    public IncrementalDecoder decoder(int[] prompt, boolean skipSpecial) {
        return new IncrementalDecoder() {
            private final ByteArrayOutputStream held = new ByteArrayOutputStream();

            @Override
            public String push(int id) {
                held.writeBytes(special(id) && skipSpecial ? new byte[0] : bytes(id));
                String text = held.toString(StandardCharsets.UTF_8);
                if (text.endsWith("\uFFFD")) {
                    return "";
                }
                held.reset();
                return text;
            }

            @Override
            public String finish() {
                return held.toString(StandardCharsets.UTF_8);
            }
        };
    }

    @Override
    public byte[] bytes(int id) {
        return switch (id) {
            case BEGIN -> "<s>".getBytes(StandardCharsets.UTF_8);
            case END -> "</s>".getBytes(StandardCharsets.UTF_8);
            default -> id >= 0 && id < 256 ? new byte[] {(byte) id} : new byte[0];
        };
    }

    @Override
    public Optional<String> token(int id) {
        return id >= 0 && id < VOCABULARY ? Optional.of(new String(bytes(id), StandardCharsets.ISO_8859_1)) : Optional.empty();
    }

    @Override
    public OptionalInt id(String token) {
        if (token.equals(mark)) {
            return OptionalInt.of(END);
        }
        return token.length() == 1 && token.charAt(0) < 256 ? OptionalInt.of(token.charAt(0)) : OptionalInt.empty();
    }

    @Override
    public boolean special(int id) {
        return id == BEGIN || id == END;
    }

    @Override
    public boolean hasChatTemplate() {
        return true;
    }

    @Override
    public String chat(List<Map<String, Object>> messages, Map<String, Object> variables) {
        seenMessages = messages;
        seenVariables = variables;
        StringBuilder text = new StringBuilder();
        for (Map<String, Object> message : messages) {
            if ("forbidden".equals(message.get("role"))) {
                throw new TextException("the chat template refuses the role [forbidden]");
            }
            text.append('<').append(message.get("role")).append('>').append(message.get("content"));
            text.append("</").append(message.get("role")).append('>');
        }
        return Boolean.TRUE.equals(variables.get("add_generation_prompt")) ? text + "<assistant>" + ending : text.toString();
    }
}
