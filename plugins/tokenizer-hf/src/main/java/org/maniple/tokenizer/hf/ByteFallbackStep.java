package org.maniple.tokenizer.hf;

import java.util.Optional;

/**
 * Turns runs of {@code <0x..>} tokens into characters. In the reference a run that is not valid UTF-8 as a whole becomes one U+FFFD per byte;
 * an eager decoding gives out the characters at the beginning of a run before it can know that, and keeps to U+FFFD per byte after the
 * first invalid one.
 */
record ByteFallbackStep() implements DecoderStep {
    private static final String REPLACEMENT = String.valueOf(Utf8Stream.REPLACEMENT);

    private static final class Sink implements TokenSink {
        private final TokenSink next;
        private final boolean eager;
        private final StringBuilder token = new StringBuilder();
        private final StringBuilder run = new StringBuilder();
        private Utf8Stream utf8 = new Utf8Stream();
        private int bytesInRun;
        private int bytesWaiting;
        private boolean broken;

        Sink(TokenSink next, boolean eager) {
            this.next = next;
            this.eager = eager;
        }

        @Override
        public void accept(String part, boolean ends) {
            if (!ends) {
                token.append(part);
                return;
            }
            var whole = token.isEmpty() ? part : token.append(part).toString();
            token.setLength(0);
            int value = byteValue(whole);
            if (value >= 0) {
                oneByte(value);
            } else {
                endRun();
                next.accept(whole, true);
            }
        }

        private void oneByte(int value) {
            bytesInRun++;
            bytesWaiting++;
            if (!broken) {
                broken = !utf8.decode(value, run);
            }
            if (eager && broken) {
                replaceWaiting(bytesWaiting);
            } else if (eager && !utf8.waiting()) {
                next.accept(run.toString(), true);
                run.setLength(0);
                bytesWaiting = 0;
            }
        }

        private void endRun() {
            if (eager) {
                replaceWaiting(bytesWaiting);
            } else if (bytesInRun > 0) {
                if (broken || utf8.waiting()) {
                    replaceWaiting(bytesInRun);
                } else {
                    next.accept(run.toString(), true);
                }
            }
            utf8 = new Utf8Stream();
            run.setLength(0);
            bytesInRun = 0;
            bytesWaiting = 0;
            broken = false;
        }

        private void replaceWaiting(int count) {
            for (int i = 0; i < count; i++) {
                next.accept(REPLACEMENT, true);
            }
            bytesWaiting = 0;
        }

        @Override
        public void finish() {
            endRun();
            next.finish();
        }
    }

    private static int byteValue(String token) {
        if (token.length() != 6 || !token.startsWith("<0x") || token.charAt(5) != '>') {
            return -1;
        }
        int high = Character.digit(token.charAt(3), 16);
        int low = Character.digit(token.charAt(4), 16);
        return high < 0 || low < 0 || token.charAt(3) > 'f' || token.charAt(4) > 'f' ? -1 : high << 4 | low;
    }

    @Override
    public TokenSink open(TokenSink next, boolean eager) {
        return new Sink(next, eager);
    }

    @Override
    public Optional<byte[]> bytes(String token) {
        int value = byteValue(token);
        return value < 0 ? Optional.empty() : Optional.of(new byte[] {(byte) value});
    }
}
