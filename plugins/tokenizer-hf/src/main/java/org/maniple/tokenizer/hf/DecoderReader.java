package org.maniple.tokenizer.hf;

import java.util.ArrayList;
import java.util.List;

/** Builds the {@code decoder} of a tokenizer.json. */
final class DecoderReader {
    private static final int DEEPEST = 16;
    private static final int MOST_STRIPPED = 1024;

    private DecoderReader() {}

    /** Without a decoder tokens are joined by spaces, as the reference does. */
    static DecoderChain none() {
        return new DecoderChain(List.of(new JoinStep()));
    }

    static DecoderChain read(JsonField field) {
        var steps = new ArrayList<DecoderStep>();
        read(field, steps, 0);
        return new DecoderChain(List.copyOf(steps));
    }

    private static void read(JsonField field, List<DecoderStep> steps, int depth) {
        var type = field.required("type");
        switch (type.string()) {
            case "Sequence" -> {
                if (depth >= DEEPEST) {
                    throw field.error("sequences nested more than " + DEEPEST + " deep");
                }
                for (var element : field.required("decoders").elements()) {
                    read(element, steps, depth + 1);
                }
            }
            case "ByteLevel" -> steps.add(new ByteLevelStep());
            case "ByteFallback" -> steps.add(new ByteFallbackStep());
            case "Fuse" -> steps.add(new FuseStep());
            case "Replace" -> steps.add(replace(field));
            case "Strip" -> steps.add(strip(field));
            case "Metaspace" -> steps.add(
                    new MetaspaceStep(field.string("replacement", "\u2581"),
                            MetaspacePrefix.read(field) != MetaspacePrefix.NEVER));
            case "BPEDecoder" -> steps.add(new SuffixStep(field.string("suffix", "</w>")));
            default ->
                throw type.error("decoder not supported; supported are Sequence, ByteLevel, ByteFallback, Fuse, Replace, Strip, "
                        + "Metaspace, BPEDecoder");
        }
    }

    private static DecoderStep replace(JsonField field) {
        var pattern = field.required("pattern");
        var literal = pattern.isString()
                ? pattern
                : pattern.optional("String")
                        .orElseThrow(() -> pattern.error("only {\"String\": …} is supported in a decoder"));
        if (literal.string().isEmpty()) {
            throw literal.error("must not be empty");
        }
        return new ReplaceStep(literal.string(), field.string("content", ""));
    }

    private static DecoderStep strip(JsonField field) {
        var content = field.required("content");
        if (content.string().codePointCount(0, content.string().length()) != 1) {
            throw content.error("expected one character");
        }
        return new StripStep(content.string(), field.required("start").intBetween(0, MOST_STRIPPED),
                field.required("stop").intBetween(0, MOST_STRIPPED));
    }
}
