import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;

/** The JDK's own HTTP client posts a form, which it reads from standard input: JdkClient TOKEN_ENDPOINT [HTTP_1_1 | HTTP_2]. */
class JdkClient {
    public static void main(String[] arguments) throws Exception {
        var builder = HttpClient.newBuilder();
        if (arguments.length > 1) builder.version(HttpClient.Version.valueOf(arguments[1]));
        var form = new String(System.in.readAllBytes());
        var request = HttpRequest.newBuilder(URI.create(arguments[0]))
            .header("Content-Type", "application/x-www-form-urlencoded")
            .POST(BodyPublishers.ofString(form))
            .build();
        var answer = builder.build().send(request, BodyHandlers.ofString());
        System.out.println(answer.statusCode());
        System.out.println(answer.body());
    }
}
