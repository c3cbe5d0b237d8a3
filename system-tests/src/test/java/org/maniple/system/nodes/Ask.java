package org.maniple.system.nodes;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/**
 * A client program that runs on one of the machines: {@code Ask URL} sends what it reads as a POST, or a GET if that is nothing, and
 * prints the status and, after it, the body. Its exit code is 3 if nobody answers.
 */
final class Ask {

    private static final Duration CONNECT = Duration.ofSeconds(2);
    private static final Duration ANSWER = Duration.ofSeconds(60);
    static final int NOBODY = 3;

    private Ask() {}

    public static void main(String[] arguments) throws Exception {
        String body = new String(System.in.readAllBytes(), StandardCharsets.UTF_8);
        var request = HttpRequest.newBuilder(URI.create(arguments[0])).timeout(ANSWER).header("Content-Type", "application/json");
        if (!body.isEmpty()) {
            request.POST(BodyPublishers.ofString(body));
        }
        try (HttpClient client = HttpClient.newBuilder().connectTimeout(CONNECT).version(HttpClient.Version.HTTP_1_1).build()) {
            var response = client.send(request.build(), BodyHandlers.ofString());
            System.out.println(response.statusCode());
            System.out.print(response.body());
        } catch (java.io.IOException e) {
            System.out.println(e);
            System.exit(NOBODY);
        }
    }
}
