package org.maniple.kernel.engine;

import java.util.Optional;
import org.maniple.api.engine.Sampling;
import org.maniple.api.text.IncrementalDecoder;
import org.maniple.api.text.TextCodec;

/** The text of one request as its tokens come. Not safe for use by several threads. */
final class TextStream {

    private final Optional<IncrementalDecoder> decoder;
    private final StopScanner scanner;
    private final Sampling sampling;
    private int tokens;

    TextStream(Optional<TextCodec> codec, int[] prompt, Sampling sampling) {
        decoder = codec.map(text -> text.decoder(prompt, sampling.skipSpecialTokens()));
        scanner = new StopScanner(sampling.stop(), sampling.includeStop());
        this.sampling = sampling;
    }

    /**
     * Takes a token.
     *
     * @param token its id
     * @param ends whether it ended the output; then its text is shown only with the stop texts
     * @return what can be shown now
     */
    String push(int token, boolean ends) {
        tokens++;
        if (decoder.isEmpty() || ends && !sampling.includeStop()) {
            return "";
        }
        return scanner.append(decoder.get().push(token), tokens > sampling.minTokens());
    }

    /** The stop text that has ended the output. */
    Optional<String> stopped() {
        return scanner.found();
    }

    /** The end of the tokens: what was held back, in which a stop text may still be found. */
    String finish() {
        if (decoder.isEmpty()) {
            return "";
        }
        if (scanner.found().isPresent()) {
            return scanner.finish();
        }
        String rest = scanner.append(decoder.get().finish(), tokens > sampling.minTokens());
        return rest + scanner.finish();
    }
}
