package gunyah.scenario;

import static gunyah.scenario.DebianShell.command;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import gunyah.config.DeviceConfig;
import gunyah.config.NetConfig;
import gunyah.config.Serial;
import gunyah.runtime.GunyahSystem;
import gunyah.runtime.Vm;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Debian's own drivers between two guests and this computer: user network, switch, shared folder. */
@Tag("boot")
class DebianNetworkTest {
    @TempDir
    private Path directory;

    /** Bytes go there and back through the first VM's user network; the second hears of it over their switch. */
    @Test
    void guestsTalkToThisComputerAndToEachOther() throws Exception {
        byte[] data = new byte[Integer.getInteger("gunyah.transfer.mib", 8) << 20];
        new Random(42).nextBytes(data);
        for (int i = 0; i < data.length; i++) {
            // what the guest's wget posts ends at the first zero
            data[i] |= 1;
        }
        String sum = HostTools.digest("SHA-256", data);
        Path folder = Files.createDirectory(directory.resolve("shared"));
        Files.writeString(folder.resolve("hello"), "from the host");
        int forwarded = HostTools.freePort();
        DeviceConfig user = new DeviceConfig(List.of(), List.of(new NetConfig.User(List.of(
                new NetConfig.Forward(NetConfig.Transport.TCP, "", forwarded, 80))),
                new NetConfig.Switched("lan")), false, Serial.PL011, List.of(folder), Optional.empty(),
                OptionalLong.empty());
        DeviceConfig lan = new DeviceConfig(List.of(), List.of(new NetConfig.Switched("lan")));
        try (GunyahSystem system = GunyahSystem.start(Guests.machine(2)); Web web = new Web(data)) {
            Vm one = system.createVm(Guests.linux("one", Guests.KERNEL_6_1, 2, "cryptomgr.notests").with(user));
            Vm two = system.createVm(Guests.linux("two", Guests.KERNEL_6_1, 1, "cryptomgr.notests").with(lan));
            DebianShell.await(one);
            DebianShell.await(two);

            command(one, "udhcpc -q -i eth0", "lease of 10.0.2.15 obtained");
            command(one, "ping -c 1 10.0.2.2", " 0% packet loss");
            command(one, "wget -q -O /tmp/data http://10.0.2.2:%d/; sha256sum /tmp/data".formatted(web.port()),
                    sum + "  /tmp/data");
            command(one, "wget -q -O /dev/null --post-file /tmp/data http://10.0.2.2:%d/ && echo sent=$?"
                    .formatted(web.port()), "sent=0");
            assertThat(web.posted).singleElement().isEqualTo(sum);

            command(one, "httpd -h /tmp && echo serves=$?", "serves=0");
            try (InputStream served = URI.create("http://127.0.0.1:%d/data".formatted(forwarded)).toURL().openStream()) {
                assertThat(HostTools.digest("SHA-256", served.readAllBytes())).isEqualTo(sum);
            }

            command(one, "ip addr add 192.168.7.1/24 dev eth1 && ip link set eth1 up && echo up=$?", "up=0");
            command(two, "ip addr add 192.168.7.2/24 dev eth0 && echo up=$?", "up=0");
            command(two, "ping -c 3 192.168.7.1", " 0% packet loss");
            command(one, "ping -c 3 192.168.7.2", " 0% packet loss");
            command(one, "ip -6 addr add fd00::1/64 dev eth1 && echo up=$?", "up=0");
            command(two, "ip -6 addr add fd00::2/64 dev eth0 && echo up=$?", "up=0");
            command(two, "until ping6 -c 1 fd00::1 > /dev/null; do sleep 1; done; echo reached=$?", "reached=0");
            command(two, "wget -q -O - http://[fd00::1]/data | sha256sum", sum + "  -");

            command(one, "mount -t virtiofs share0 /mnt && ls /mnt && cat /mnt/hello", "from the host");
            command(one, "cp /tmp/data /mnt/data && sync && sha256sum /mnt/data", sum);
        }
        assertThat(folder.resolve("data")).hasBinaryContent(data);
    }

    /** Gives the same bytes to all who ask, and keeps digests of what was posted. */
    private static final class Web implements AutoCloseable {
        private final HttpServer server;
        private final List<String> posted = new CopyOnWriteArrayList<>();

        Web(byte[] data) throws IOException {
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 5);
            server.createContext("/", exchange -> {
                boolean post = exchange.getRequestMethod().equals("POST");
                if (post) {
                    posted.add(HostTools.digest("SHA-256", exchange.getRequestBody().readAllBytes()));
                }
                exchange.sendResponseHeaders(200, post ? -1 : data.length);
                if (!post) {
                    exchange.getResponseBody().write(data);
                }
                exchange.close();
            });
            server.start();
        }

        int port() {
            return server.getAddress().getPort();
        }

        @Override
        public void close() {
            server.stop(0);
        }
    }
}
