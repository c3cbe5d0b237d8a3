package org.maniple.serve.openai;

import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.maniple.api.engine.TokenLogprob;
import org.maniple.api.engine.TokenLogprob.Candidate;
import org.maniple.api.text.TextCodec;
import tools.jackson.core.JsonGenerator;

/**
 * How single tokens and their log-probabilities are shown.
 *
 * @param codec the tokenizer; without one tokens are shown as {@code token_id:17}
 * @param asIds whether they are shown so in any case
 */
record TokenTexts(Optional<TextCodec> codec, boolean asIds) {

    /** JSON knows no infinity; this is what vLLM shows for it. */
    private static final double LOWEST = -9999;

    byte[] bytes(int token) {
        if (codec.isEmpty() || asIds) {
            return ("token_id:" + token).getBytes(StandardCharsets.UTF_8);
        }
        byte[] bytes = codec.get().bytes(token);
        return bytes.length > 0 ? bytes : codec.get().token(token).orElse("").getBytes(StandardCharsets.UTF_8);
    }

    /** A token as text, with U+FFFD for what is not a whole character. */
    String text(int token) {
        return new String(bytes(token), StandardCharsets.UTF_8);
    }

    /** An entry of a chat's {@code logprobs.content}. */
    void writeForChat(JsonGenerator json, TokenLogprob entry) {
        json.writeStartObject();
        writeOne(json, entry.token(), entry.logprob());
        json.writeArrayPropertyStart("top_logprobs");
        for (Candidate candidate : entry.top()) {
            json.writeStartObject();
            writeOne(json, candidate.token(), candidate.logprob());
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    /** An entry of {@code prompt_logprobs}: token id to log-probability, rank and text. */
    void writeForPrompt(JsonGenerator json, TokenLogprob entry) {
        json.writeStartObject();
        boolean listed = false;
        int rank = 1;
        for (Candidate candidate : entry.top()) {
            listed |= candidate.token() == entry.token();
            writeRanked(json, candidate.token(), candidate.logprob(), rank++);
        }
        if (!listed) {
            writeRanked(json, entry.token(), entry.logprob(), entry.rank());
        }
        json.writeEndObject();
    }

    static double shown(double logprob) {
        return logprob >= LOWEST ? logprob : LOWEST;
    }

    private void writeOne(JsonGenerator json, int token, double logprob) {
        byte[] bytes = bytes(token);
        json.writeStringProperty("token", new String(bytes, StandardCharsets.UTF_8));
        json.writeNumberProperty("logprob", shown(logprob));
        json.writeArrayPropertyStart("bytes");
        for (byte b : bytes) {
            json.writeNumber(b & 0xFF);
        }
        json.writeEndArray();
    }

    private void writeRanked(JsonGenerator json, int token, double logprob, int rank) {
        json.writeObjectPropertyStart(Integer.toString(token));
        json.writeNumberProperty("logprob", shown(logprob));
        json.writeNumberProperty("rank", rank);
        json.writeStringProperty("decoded_token", text(token));
        json.writeEndObject();
    }
}
