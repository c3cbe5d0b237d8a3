package org.maniple.serve.openai;

import io.netty.handler.codec.http.HttpMethod;

/**
 * A route.
 *
 * @param method how it is asked; GET includes HEAD
 * @param path its whole path, or its beginning if it ends with a star
 * @param open whether it needs no key
 * @param starts whether it starts work that a draining server no longer takes
 * @param takesBody whether a POST has a body in JSON
 * @param errors how its errors are written
 * @param handler what answers
 */
record Route(HttpMethod method, String path, boolean open, boolean starts, boolean takesBody, ErrorShape errors,
        Handler handler) {

    /** A route that only shows something. */
    static Route get(String path, Handler handler) {
        return new Route(HttpMethod.GET, path, false, false, false, ErrorShape.OPENAI, handler);
    }

    /** A route that only shows something, to everybody. */
    static Route openGet(String path, Handler handler) {
        return new Route(HttpMethod.GET, path, true, false, false, ErrorShape.OPENAI, handler);
    }

    /** A route that takes a body. */
    static Route post(String path, boolean starts, Handler handler) {
        return new Route(HttpMethod.POST, path, false, starts, true, ErrorShape.OPENAI, handler);
    }

    /** A route that is asked by a POST without a body. */
    static Route action(String path, Handler handler) {
        return new Route(HttpMethod.POST, path, false, false, false, ErrorShape.OPENAI, handler);
    }

    /** The same route for clients that expect errors in another shape. */
    Route withErrors(ErrorShape shape) {
        return new Route(method, path, open, starts, takesBody, shape, handler);
    }

    boolean matches(String asked) {
        return path.endsWith("*") ? asked.startsWith(path.substring(0, path.length() - 1)) : asked.equals(path);
    }

    boolean answers(HttpMethod asked) {
        return asked.equals(method) || method.equals(HttpMethod.GET) && asked.equals(HttpMethod.HEAD);
    }
}
