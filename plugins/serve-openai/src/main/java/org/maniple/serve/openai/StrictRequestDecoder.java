package org.maniple.serve.openai;

import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMessage;
import io.netty.handler.codec.http.HttpRequestDecoder;

/** Netty's decoder, which refuses what two parsers may understand differently instead of repairing it. */
final class StrictRequestDecoder extends HttpRequestDecoder {

    private final Runnable onBytes;

    StrictRequestDecoder(HttpLimits limits, Runnable onBytes) {
        super(new HttpDecoderConfig()
                .setMaxInitialLineLength(limits.lineBytes())
                .setMaxHeaderSize(limits.headerBytes())
                .setAllowDuplicateContentLengths(false)
                .setStrictLineParsing(true)
                .setUseRfc9112TransferEncoding(true));
        this.onBytes = onBytes;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) throws Exception {
        onBytes.run();
        super.channelRead(context, message);
    }

    @Override
    protected void handleTransferEncodingChunkedWithContentLength(HttpMessage message) {
        throw new IllegalArgumentException(
                "both " + HttpHeaderNames.TRANSFER_ENCODING + " and " + HttpHeaderNames.CONTENT_LENGTH);
    }
}
