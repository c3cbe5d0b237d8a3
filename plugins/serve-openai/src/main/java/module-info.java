import org.jspecify.annotations.NullMarked;

/** The OpenAI API over HTTP. */
@NullMarked module org.maniple.serve.openai {
    requires org.maniple.api;
    requires static org.jspecify;
    requires io.netty.buffer;
    requires io.netty.codec;
    requires io.netty.codec.http;
    requires io.netty.common;
    requires io.netty.handler;
    requires io.netty.transport;
    requires java.net.http;
    requires tools.jackson.core;

    provides org.maniple.api.frontend.Frontend with org.maniple.serve.openai.OpenAiFrontend;
}
