package org.maniple.serve.openai;

import io.netty.handler.codec.http.HttpMethod;

/**
 * A route.
 *
 * @param method how it is asked; GET includes HEAD
 * @param path its whole path, or its beginning if it ends with a star
 * @param open whether it needs no key
 * @param starts whether it starts work that a draining server no longer takes
 * @param handler what answers
 */
record Route(HttpMethod method, String path, boolean open, boolean starts, Handler handler) {

    /** A route that only shows something. */
    static Route get(String path, Handler handler) {
        return new Route(HttpMethod.GET, path, false, false, handler);
    }

    /** A route that only shows something, to everybody. */
    static Route openGet(String path, Handler handler) {
        return new Route(HttpMethod.GET, path, true, false, handler);
    }

    /** A route that takes a body. */
    static Route post(String path, boolean starts, Handler handler) {
        return new Route(HttpMethod.POST, path, false, starts, handler);
    }

    boolean matches(String asked) {
        return path.endsWith("*") ? asked.startsWith(path.substring(0, path.length() - 1)) : asked.equals(path);
    }

    boolean answers(HttpMethod asked) {
        return asked.equals(method) || method.equals(HttpMethod.GET) && asked.equals(HttpMethod.HEAD);
    }
}
