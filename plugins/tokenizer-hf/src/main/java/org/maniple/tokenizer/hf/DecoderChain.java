package org.maniple.tokenizer.hf;

import java.nio.charset.StandardCharsets;
import java.util.List;

/** The steps that turn tokens back into text. */
record DecoderChain(List<DecoderStep> steps) {

    private record Collector(StringBuilder target) implements TokenSink {
        @Override
        public void accept(String part, boolean ends) {
            target.append(part);
        }

        @Override
        public void finish() {
            // everything is in the target already
        }
    }

    /** Begins a decoding into {@code target}. */
    TokenSink open(StringBuilder target, boolean eager) {
        TokenSink sink = new Collector(target);
        for (var step : steps.reversed()) {
            sink = step.open(sink, eager);
        }
        return sink;
    }

    /** The bytes one token adds in the middle of a text. */
    byte[] bytes(String token) {
        var text = token;
        for (var step : steps) {
            var bytes = step.bytes(text);
            if (bytes.isPresent()) {
                return bytes.get();
            }
            text = step.inMiddle(text);
        }
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
