package org.maniple.serve.openai;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Base64;
import tools.jackson.core.JsonGenerator;

/**
 * How embeddings are shown.
 *
 * @param base64 as float32, little-endian, in Base64; otherwise as a list of numbers
 * @param normalized whether they have the length 1
 * @param dimensions how many of their numbers are kept; 0: all
 */
record Embedding(boolean base64, boolean normalized, int dimensions) {

    /** A vector as the client wants it. */
    float[] shown(float[] vector) {
        float[] kept = dimensions == 0 ? vector.clone() : Arrays.copyOf(vector, dimensions);
        if (normalized) {
            double squares = 0;
            for (float value : kept) {
                squares += (double) value * value;
            }
            double length = Math.max(Math.sqrt(squares), 1e-12);
            for (int i = 0; i < kept.length; i++) {
                kept[i] = (float) (kept[i] / length);
            }
        }
        return kept;
    }

    /** Writes what {@link #shown} gave. */
    void write(JsonGenerator json, int index, float[] vector) {
        json.writeStartObject();
        json.writeNumberProperty("index", index);
        json.writeStringProperty("object", "embedding");
        if (base64) {
            ByteBuffer bytes = ByteBuffer.allocate(vector.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            bytes.asFloatBuffer().put(vector);
            json.writeStringProperty("embedding", Base64.getEncoder().encodeToString(bytes.array()));
        } else {
            json.writeArrayPropertyStart("embedding");
            for (float value : vector) {
                json.writeNumber(value);
            }
            json.writeEndArray();
        }
        json.writeEndObject();
    }
}
