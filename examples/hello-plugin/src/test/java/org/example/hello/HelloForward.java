package org.example.hello;

import static org.example.hello.HelloCheckpoint.EPSILON;
import static org.example.hello.HelloCheckpoint.FFN;
import static org.example.hello.HelloCheckpoint.HEADS;
import static org.example.hello.HelloCheckpoint.HEAD_DIM;
import static org.example.hello.HelloCheckpoint.HIDDEN;
import static org.example.hello.HelloCheckpoint.KV_HEADS;
import static org.example.hello.HelloCheckpoint.LAYERS;
import static org.example.hello.HelloCheckpoint.THETA;
import static org.example.hello.HelloCheckpoint.VOCABULARY;

import java.util.List;

/** The model written down once more, in double precision, without graph, ranks or cache: what Maniple's results are compared with. */
final class HelloForward {

    private final HelloCheckpoint checkpoint;

    HelloForward(HelloCheckpoint checkpoint) {
        this.checkpoint = checkpoint;
    }

    /** The logits of the token after the last one. */
    double[] logits(List<Integer> tokens) {
        var stream = new double[tokens.size()][HIDDEN];
        float[] embeddings = checkpoint.weight("model.embed_tokens.weight");
        for (int t = 0; t < stream.length; t++) {
            for (int i = 0; i < HIDDEN; i++) {
                stream[t][i] = embeddings[tokens.get(t) * HIDDEN + i];
            }
        }
        for (int layer = 0; layer < LAYERS; layer++) {
            String prefix = "model.layers." + layer + ".";
            add(stream, attention(normed(stream, prefix + "input_layernorm"), prefix + "self_attn."));
            add(stream, feedForward(normed(stream, prefix + "post_attention_layernorm"), prefix + "mlp."));
        }
        double[] last = normed(stream, "model.norm")[stream.length - 1];
        return times(checkpoint.weight("lm_head.weight"), last, VOCABULARY);
    }

    private double[][] attention(double[][] x, String prefix) {
        double[][] queries = turned(linear(x, prefix + "q_proj", HIDDEN));
        double[][] keys = turned(linear(x, prefix + "k_proj", KV_HEADS * HEAD_DIM));
        double[][] values = linear(x, prefix + "v_proj", KV_HEADS * HEAD_DIM);
        var attended = new double[x.length][HIDDEN];
        for (int t = 0; t < x.length; t++) {
            for (int head = 0; head < HEADS; head++) {
                int shared = head / (HEADS / KV_HEADS) * HEAD_DIM;
                var weights = new double[t + 1];
                double total = 0;
                for (int s = 0; s <= t; s++) {
                    double score = 0;
                    for (int i = 0; i < HEAD_DIM; i++) {
                        score += queries[t][head * HEAD_DIM + i] * keys[s][shared + i];
                    }
                    weights[s] = Math.exp(score / Math.sqrt(HEAD_DIM));
                    total += weights[s];
                }
                for (int s = 0; s <= t; s++) {
                    for (int i = 0; i < HEAD_DIM; i++) {
                        attended[t][head * HEAD_DIM + i] += weights[s] / total * values[s][shared + i];
                    }
                }
            }
        }
        return linear(attended, prefix + "o_proj", HIDDEN);
    }

    private double[][] feedForward(double[][] x, String prefix) {
        double[][] inner = linear(x, prefix + "up_proj", FFN);
        for (double[] row : inner) {
            for (int i = 0; i < FFN; i++) {
                double a = row[i];
                row[i] = a / 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (a + 0.044715 * a * a * a)));
            }
        }
        return linear(inner, prefix + "down_proj", HIDDEN);
    }

    /** Rotary positions: element i of a head is turned together with element i + half. */
    private static double[][] turned(double[][] x) {
        int half = HEAD_DIM / 2;
        var out = new double[x.length][x[0].length];
        for (int t = 0; t < x.length; t++) {
            for (int first = 0; first < x[t].length; first += HEAD_DIM) {
                for (int i = 0; i < half; i++) {
                    double angle = t * Math.pow(THETA, -2.0 * i / HEAD_DIM);
                    double a = x[t][first + i];
                    double b = x[t][first + half + i];
                    out[t][first + i] = a * Math.cos(angle) - b * Math.sin(angle);
                    out[t][first + half + i] = b * Math.cos(angle) + a * Math.sin(angle);
                }
            }
        }
        return out;
    }

    private double[][] normed(double[][] x, String name) {
        float[] weight = checkpoint.weight(name + ".weight");
        float[] bias = checkpoint.weight(name + ".bias");
        var out = new double[x.length][HIDDEN];
        for (int t = 0; t < x.length; t++) {
            double sum = 0;
            double squares = 0;
            for (double element : x[t]) {
                sum += element;
                squares += element * element;
            }
            double mean = sum / HIDDEN;
            double variance = squares / HIDDEN - mean * mean;
            for (int i = 0; i < HIDDEN; i++) {
                out[t][i] = (x[t][i] - mean) / Math.sqrt(variance + EPSILON) * weight[i] + bias[i];
            }
        }
        return out;
    }

    private double[][] linear(double[][] x, String name, int outputs) {
        float[] bias = checkpoint.weight(name + ".bias");
        var out = new double[x.length][];
        for (int t = 0; t < x.length; t++) {
            out[t] = times(checkpoint.weight(name + ".weight"), x[t], outputs);
            for (int i = 0; i < outputs; i++) {
                out[t][i] += bias[i];
            }
        }
        return out;
    }

    private static double[] times(float[] matrix, double[] x, int outputs) {
        var out = new double[outputs];
        for (int n = 0; n < outputs; n++) {
            for (int i = 0; i < x.length; i++) {
                out[n] += matrix[n * x.length + i] * x[i];
            }
        }
        return out;
    }

    private static void add(double[][] to, double[][] what) {
        for (int t = 0; t < to.length; t++) {
            for (int i = 0; i < to[t].length; i++) {
                to[t][i] += what[t][i];
            }
        }
    }
}
