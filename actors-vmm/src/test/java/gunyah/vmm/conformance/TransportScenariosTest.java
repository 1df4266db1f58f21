package gunyah.vmm.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gunyah.rm.rpc.MessageId;
import gunyah.vmm.Scenario;
import gunyah.vmm.driver.Errno;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

/** The driver and the Resource Manager over their queues; what the manager never sends is put in between. */
class TransportScenariosTest extends ScenarioTest {
    private static final int HOST = 3;

    @Test
    @Scenario({5, 6, 8, 14})
    void moreCallsThanTheQueueHoldsAreAllAnswered() {
        List<CompletableFuture<List<CompletionStage<Integer>>>> callers = new ArrayList<>();
        for (int caller = 0; caller < 4; caller++) {
            callers.add(async(() -> {
                List<CompletionStage<Integer>> calls = new ArrayList<>();
                for (int i = 0; i < 1000; i++) {
                    calls.add(bench.device.ownVmid());
                }
                return calls;
            }));
        }
        callers.forEach(caller -> Bench.get(caller).forEach(call -> assertThat(Bench.get(call)).isEqualTo(HOST)));
    }

    @Test
    @Scenario({16, 17, 21, 22, 27, 48})
    void whatTheManagerNeverSendsHarmsNobody() {
        String[] messages = {
            "2102ffff01000056 00000000", // reply nobody waits for
            "2102000099000056 00000000", // reply to another message
            "2104000001000056 22", // stray continuation
            "2103000000", // too short for a header
            "2103000001001056 800001", // VM_EXITED of 3 bytes
            "2103000009991056 00000000"}; // notification of an unknown kind
        Guest guest = Guest.started(client, 1);
        for (String message : messages) {
            bench.tap.inject(HexFormat.of().parseHex(message.replace(" ", "")));
            assertThat(Bench.get(bench.device.ownVmid())).as(message).isEqualTo(HOST);
        }
        assertThat(guest.cpu().get(Guest.FREE)).isZero();
    }

    @Test
    @Scenario(25)
    void anErrorOfTheManagerIsAnErrorNumber() {
        int[][] errors = {{3, Errno.EPERM.number()}, {5, Errno.EBUSY.number()}, {-1, Errno.EOPNOTSUPP.number()},
            {0x77, Errno.EBADMSG.number()}};
        for (int[] error : errors) {
            bench.tap.failRequest(MessageId.VM_GET_VMID.id(), error[0]);
            assertThatThrownBy(() -> Bench.get(bench.device.ownVmid()))
                    .hasMessageContaining(java.util.Arrays.stream(Errno.values())
                            .filter(errno -> errno.number() == error[1]).findFirst().orElseThrow().name());
            bench.tap.clear();
        }
    }

    @Test
    @Scenario(26)
    void anInterruptedCallerDoesNotUndoTheCall() {
        Guest guest = Guest.prepared(client, 1);
        Thread.currentThread().interrupt();

        assertThat(client.start(guest.vm)).isEqualTo(Client.failed(Errno.EINTR));

        assertThat(Thread.interrupted()).isTrue();
        assertThat(client.start(guest.vm)).as("it went on").isZero();
        guest.cpu().awaitUp();
    }
}
