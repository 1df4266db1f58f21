package gunyah.load;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import org.junit.jupiter.api.Test;

class TransferServerTest {
    @Test
    void whatIsAskedForComesAndWhatIsPostedIsTaken() throws Exception {
        try (TransferServer server = new TransferServer(1_000_000); HttpClient client = HttpClient.newHttpClient()) {
            HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port()))
                    .version(HttpClient.Version.HTTP_1_1);

            assertThat(client.send(request.GET().build(), BodyHandlers.ofByteArray()).body()).hasSize(1_000_000);
            assertThat(client.send(request.POST(BodyPublishers.ofByteArray(new byte[700_000])).build(),
                    BodyHandlers.ofByteArray()).body()).isEmpty();
            assertThat(client.send(request.GET().build(), BodyHandlers.ofByteArray()).body()).hasSize(1_000_000);
        }
    }
}
