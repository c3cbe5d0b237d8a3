package org.maniple.kernel.remote;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.maniple.api.engine.GenerationEvent;
import org.maniple.api.engine.GenerationEvent.Embedding;
import org.maniple.api.engine.GenerationEvent.Failed;
import org.maniple.api.engine.GenerationEvent.FinishReason;
import org.maniple.api.engine.GenerationEvent.Finished;
import org.maniple.api.engine.GenerationEvent.Prompt;
import org.maniple.api.engine.GenerationEvent.Stop;
import org.maniple.api.engine.GenerationEvent.Tokens;
import org.maniple.api.engine.GenerationRequest;
import org.maniple.api.engine.OutputConstraint;
import org.maniple.api.engine.Pooling;
import org.maniple.api.engine.RefusedException.Reason;
import org.maniple.api.engine.Sampling;
import org.maniple.api.engine.TokenLogprob;
import org.maniple.api.engine.TokenLogprob.Candidate;
import org.maniple.kernel.remote.RemoteFrame.Accepted;
import org.maniple.kernel.remote.RemoteFrame.Cancel;
import org.maniple.kernel.remote.RemoteFrame.Event;
import org.maniple.kernel.remote.RemoteFrame.PromptPart;
import org.maniple.kernel.remote.RemoteFrame.Refused;
import org.maniple.kernel.remote.RemoteFrame.ResetPrefixCache;
import org.maniple.kernel.remote.RemoteFrame.Status;
import org.maniple.kernel.remote.RemoteFrame.Submit;

/** Frames as bytes: a type, then its fields in a fixed order. */
final class FrameCodec {

    private static final int SUBMIT = 1;
    private static final int CANCEL = 2;
    private static final int ACCEPTED = 3;
    private static final int REFUSED = 4;
    private static final int PROMPT_PART = 5;
    private static final int TOKENS = 6;
    private static final int FINISHED = 7;
    private static final int FAILED = 8;
    private static final int STATUS = 9;
    private static final int RESET_PREFIX_CACHE = 10;
    private static final int EMBEDDING = 11;

    private static final int NO_CONSTRAINT = 0;
    private static final int SCHEMA = 1;
    private static final int ANY_OBJECT = 2;
    private static final int REGEX = 3;
    private static final int CHOICE = 4;
    private static final int GRAMMAR = 5;
    private static final int AFTER_REASONING = 6;

    private static final int NO_STOP = 0;
    private static final int STOP_TEXT = 1;
    private static final int STOP_TOKEN = 2;

    private FrameCodec() {}

    static byte[] encode(RemoteFrame frame) {
        var out = new FrameWriter();
        switch (frame) {
            case Submit(long ticket, GenerationRequest request) -> {
                out.octet(SUBMIT).large(ticket).text(request.id()).numbers(request.prompt()).number(request.priority())
                        .flag(request.cacheSalt().isPresent()).text(request.cacheSalt().orElse(""));
                write(out, request.sampling());
                out.octet(request.pooling().map(how -> how.ordinal() + 1).orElse(0));
            }
            case ResetPrefixCache() -> out.octet(RESET_PREFIX_CACHE);
            case Cancel(long ticket) -> out.octet(CANCEL).large(ticket);
            case Accepted(long ticket) -> out.octet(ACCEPTED).large(ticket);
            case Refused(long ticket, Reason reason, String message) ->
                out.octet(REFUSED).large(ticket).octet(reason.ordinal()).text(message);
            case PromptPart(long ticket, boolean last, var part) ->
                out.octet(PROMPT_PART).large(ticket).flag(last).list(part, FrameCodec::write);
            case Event(long ticket, GenerationEvent event) -> write(out, ticket, event);
            case Status(var status) -> StatusCodec.write(out.octet(STATUS), status);
        }
        return out.toBytes();
    }

    private static void write(FrameWriter out, long ticket, GenerationEvent event) {
        switch (event) {
            case Prompt _ -> throw new IllegalArgumentException("the log-probabilities of a prompt go in parts");
            case Tokens(var tokens, String text, var logprobs) -> out.octet(TOKENS).large(ticket)
                    .list(tokens, FrameWriter::number).text(text).list(logprobs, FrameCodec::write);
            case Finished finished -> {
                out.octet(FINISHED).large(ticket).octet(finished.reason().ordinal());
                switch (finished.stop().orElse(null)) {
                    case null -> out.octet(NO_STOP);
                    case Stop.Text(String text) -> out.octet(STOP_TEXT).text(text);
                    case Stop.Token(int id) -> out.octet(STOP_TOKEN).number(id);
                }
                out.text(finished.text()).number(finished.promptTokens()).number(finished.outputTokens())
                        .number(finished.cachedTokens());
            }
            case Embedding(float[] values) -> {
                out.octet(EMBEDDING).large(ticket).number(values.length);
                for (float value : values) {
                    out.number(Float.floatToRawIntBits(value));
                }
            }
            case Failed(String message) -> out.octet(FAILED).large(ticket).text(message);
        }
    }

    private static void write(FrameWriter out, TokenLogprob logprob) {
        out.number(logprob.token()).real(logprob.logprob()).number(logprob.rank())
                .list(logprob.top(), (w, candidate) -> w.number(candidate.token()).real(candidate.logprob()));
    }

    private static void write(FrameWriter out, Sampling s) {
        out.optional(s.maxTokens()).number(s.minTokens()).real(s.temperature()).real(s.topP()).number(s.topK()).real(s.minP())
                .real(s.repetitionPenalty()).real(s.presencePenalty()).real(s.frequencyPenalty());
        out.flag(s.seed().isPresent()).large(s.seed().orElse(0));
        out.list(s.logitBias().entrySet(), (w, bias) -> w.number(bias.getKey()).real(bias.getValue()))
                .list(s.allowedTokenIds(), FrameWriter::number)
                .list(s.badWords(), (w, words) -> w.list(words, FrameWriter::number))
                .list(s.stop(), FrameWriter::text).flag(s.includeStop())
                .list(s.stopTokenIds(), FrameWriter::number).flag(s.ignoreEos())
                .optional(s.logprobs()).optional(s.promptLogprobs()).flag(s.skipSpecialTokens());
        write(out, s.constraint());
    }

    private static void write(FrameWriter out, Optional<OutputConstraint> constraint) {
        switch (constraint.orElse(null)) {
            case null -> out.octet(NO_CONSTRAINT);
            case OutputConstraint.Schema(String schema, boolean compact) -> out.octet(SCHEMA).text(schema).flag(compact);
            case OutputConstraint.AnyObject(boolean compact) -> out.octet(ANY_OBJECT).flag(compact);
            case OutputConstraint.Regex(String pattern) -> out.octet(REGEX).text(pattern);
            case OutputConstraint.Choice(var choices) -> out.octet(CHOICE).list(choices, FrameWriter::text);
            case OutputConstraint.Grammar(String grammar) -> out.octet(GRAMMAR).text(grammar);
            case OutputConstraint.AfterReasoning(String begin, String end, boolean inside, OutputConstraint then) -> {
                out.octet(AFTER_REASONING).text(begin).text(end).flag(inside);
                write(out, Optional.of(then));
            }
        }
    }

    /**
     * Reads a frame.
     *
     * @throws MalformedFrameException if it is none
     */
    static RemoteFrame decode(byte[] bytes) {
        var in = new FrameReader(bytes);
        int type = in.octet();
        RemoteFrame frame = switch (type) {
            case SUBMIT -> new Submit(in.large(), request(in));
            case CANCEL -> new Cancel(in.large());
            case RESET_PREFIX_CACHE -> new ResetPrefixCache();
            case ACCEPTED -> new Accepted(in.large());
            case REFUSED -> new Refused(in.large(), in.oneOf(Reason.values()), in.text());
            case PROMPT_PART -> new PromptPart(in.large(), in.flag(), in.list(20, FrameCodec::logprob));
            case TOKENS -> new Event(in.large(), new Tokens(integers(in), in.text(), in.list(20, FrameCodec::logprob)));
            case FINISHED -> new Event(in.large(),
                    new Finished(in.oneOf(FinishReason.values()), stop(in), in.text(), in.number(), in.number(), in.number()));
            case EMBEDDING -> new Event(in.large(), new Embedding(floats(in)));
            case FAILED -> new Event(in.large(), new Failed(in.text()));
            case STATUS -> new Status(StatusCodec.read(in));
            default -> throw new MalformedFrameException("unknown type " + type);
        };
        in.end();
        return frame;
    }

    private static GenerationRequest request(FrameReader in) {
        String id = in.text();
        int[] prompt = in.numbers();
        int priority = in.number();
        boolean salted = in.flag();
        String salt = in.text();
        Sampling sampling = sampling(in);
        int pooling = in.octet();
        if (pooling > Pooling.values().length) {
            throw new MalformedFrameException("unknown pooling " + pooling);
        }
        return new GenerationRequest(id, prompt, sampling, OptionalInt.empty(), priority,
                salted ? Optional.of(salt) : Optional.empty(),
                pooling == 0 ? Optional.empty() : Optional.of(Pooling.values()[pooling - 1]));
    }

    private static float[] floats(FrameReader in) {
        int[] bits = in.numbers();
        float[] values = new float[bits.length];
        for (int i = 0; i < bits.length; i++) {
            values[i] = Float.intBitsToFloat(bits[i]);
        }
        return values;
    }

    private static List<Integer> integers(FrameReader in) {
        return in.list(Integer.BYTES, FrameReader::number);
    }

    private static Optional<Stop> stop(FrameReader in) {
        int kind = in.octet();
        return switch (kind) {
            case NO_STOP -> Optional.empty();
            case STOP_TEXT -> Optional.of(new Stop.Text(in.text()));
            case STOP_TOKEN -> Optional.of(new Stop.Token(in.number()));
            default -> throw new MalformedFrameException("unknown kind of stop " + kind);
        };
    }

    private static TokenLogprob logprob(FrameReader in) {
        return new TokenLogprob(in.number(), in.real(), in.number(),
                in.list(12, reader -> new Candidate(reader.number(), reader.real())));
    }

    private static Sampling sampling(FrameReader in) {
        return new Sampling(in.optional(), in.number(), in.real(), in.real(), in.number(), in.real(), in.real(), in.real(),
                in.real(), seed(in), biases(in), integers(in), in.list(Integer.BYTES, FrameCodec::integers),
                in.list(Integer.BYTES, FrameReader::text), in.flag(), integers(in), in.flag(), in.optional(), in.optional(),
                in.flag(), constraint(in));
    }

    private static Optional<OutputConstraint> constraint(FrameReader in) {
        int kind = in.octet();
        return kind == AFTER_REASONING ? Optional.of(afterReasoning(in)) : plain(kind, in);
    }

    private static Optional<OutputConstraint> plain(int kind, FrameReader in) {
        return switch (kind) {
            case NO_CONSTRAINT -> Optional.empty();
            case SCHEMA -> Optional.of(new OutputConstraint.Schema(in.text(), in.flag()));
            case ANY_OBJECT -> Optional.of(new OutputConstraint.AnyObject(in.flag()));
            case REGEX -> Optional.of(new OutputConstraint.Regex(in.text()));
            case CHOICE -> Optional.of(new OutputConstraint.Choice(in.list(Integer.BYTES, FrameReader::text)));
            case GRAMMAR -> Optional.of(new OutputConstraint.Grammar(in.text()));
            default -> throw new MalformedFrameException("unknown kind of constraint " + kind);
        };
    }

    /** One reasoning comes before one constraint, so that frames cannot make this call itself. */
    private static OutputConstraint afterReasoning(FrameReader in) {
        String begin = in.text();
        String end = in.text();
        boolean inside = in.flag();
        Optional<OutputConstraint> then = plain(in.octet(), in);
        if (begin.isEmpty() || end.isEmpty() || then.isEmpty()) {
            throw new MalformedFrameException("a reasoning without marks, or before nothing");
        }
        return new OutputConstraint.AfterReasoning(begin, end, inside, then.get());
    }

    private static OptionalLong seed(FrameReader in) {
        boolean given = in.flag();
        long value = in.large();
        return given ? OptionalLong.of(value) : OptionalLong.empty();
    }

    private static Map<Integer, Double> biases(FrameReader in) {
        var biases = new LinkedHashMap<Integer, Double>();
        in.list(12, reader -> biases.put(reader.number(), reader.real()));
        return biases;
    }
}
