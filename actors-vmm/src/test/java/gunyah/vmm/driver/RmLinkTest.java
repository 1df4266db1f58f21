package gunyah.vmm.driver;

import static org.assertj.core.api.Assertions.assertThat;

import akka.actor.testkit.typed.javadsl.BehaviorTestKit;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The actor around the transport: interrupts of the queues whose messages break what they are told to. */
class RmLinkTest {
    @Test
    void messagesBehindThoseThatBreakAreTakenAtTheSameInterrupt() {
        FakeGunyah gunyah = new FakeGunyah();
        List<Integer> notified = new ArrayList<>();
        RmTransport transport = new RmTransport(gunyah, FakeGunyah.TX_CAP, FakeGunyah.RX_CAP, 0x1000, 0x1800,
                (id, payload) -> {
                    notified.add(payload[0] & 0xff);
                    throw new IllegalStateException("a defect, on purpose");
                });
        BehaviorTestKit<RmLink.Command> link = BehaviorTestKit.create(RmLink.create(transport));
        for (int i = 1; i <= 8; i++) {
            gunyah.toHost(HexFormat.of().parseHex("2103000002000056%02x000000".formatted(i)));
        }

        link.run(RmLink.Interrupt.RX);

        assertThat(notified).containsExactly(1, 2, 3, 4, 5, 6, 7, 8);
    }
}
