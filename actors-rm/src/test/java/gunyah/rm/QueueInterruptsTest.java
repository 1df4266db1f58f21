package gunyah.rm;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.config.fdt.DtNode;
import gunyah.rm.rpc.HypResource;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.ResourceType;
import gunyah.rm.rpc.VmRequest;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * When the ends of a message queue between a guest and its owner are interrupted: at the exact crossing of a threshold
 * and at each pushed message, whatever waits already; and that who drains at each interrupt never waits in vain. One
 * end is guest code behind a GIC, the other a VM in Java.
 */
@Tag("guest")
class QueueInterruptsTest {
    private static final int LABEL = 51;
    private static final int DEPTH = 8;
    private static final int SIZE = 8;
    private static final long MESSAGE = Agent.PAGE_IPA + 0x800;
    private static final long BUFFER = 0x4300_0000L;
    private static final int SEND = 0x1b;
    private static final int RECEIVE = 0x1c;
    private static final int CONFIGURE_RECEIVE = 0x20;
    private static final long UNCHANGED = 0xffff_ffffL;
    private static final int FULL = 61;
    private static final int MESSAGES = 1500;
    private static final long SEED = Long.getLong("gunyah.test.seed", 20_261_125L);

    private final RealHost host = new RealHost(2, 256L << 20);
    private final Agent guest = new Agent(host, tree(), 0x4400_0000L);
    private long guestTx;
    private long guestRx;
    private int guestTxLine;
    private int guestRxLine;
    private HypResource hostTx;
    private HypResource hostRx;

    private static DtNode tree() {
        DtNode root = Agent.tree("talker", 1);
        GuestTrees.devices(root).add("queues").strings("vdevice-type", "message-queue-pair")
                .strings("generate", "/hypervisor/queues").cells("label", LABEL).flag("peer-default")
                .cells("message-size", SIZE).cells("queue-depth", DEPTH);
        return root;
    }

    @BeforeEach
    void start() {
        guest.start();
        guest.run();
        DtNode node = guest.device("qcom,gunyah-message-queue", LABEL);
        int[] reg = node.cells("reg").orElseThrow();
        int[] lines = node.cells("interrupts").orElseThrow();
        guestTx = DtNode.number(reg, 0, 2);
        guestRx = DtNode.number(reg, 2, 2);
        guestTxLine = 32 + lines[1];
        guestRxLine = 32 + lines[4];
        List<HypResource> resources =
                HypResource.decode(host.ok(MessageId.VM_GET_HYP_RESOURCES, new VmRequest(guest.vmid)));
        hostTx = resource(resources, ResourceType.MSGQUEUE_SEND);
        hostRx = resource(resources, ResourceType.MSGQUEUE_RECEIVE);
    }

    private static HypResource resource(List<HypResource> resources, ResourceType type) {
        return resources.stream().filter(r -> r.type() == type.value() && r.label() == LABEL).findFirst().orElseThrow();
    }

    @AfterEach
    void stop() {
        host.close();
    }

    private long[] guestSends(boolean push) {
        return guest.call(SEND, guestTx, SIZE, MESSAGE, push ? 1 : 0);
    }

    private long[] hostReceives() {
        return host.call(RECEIVE, hostRx.capId(), BUFFER, SIZE);
    }

    /** {@return whether the line has fired since it was asked last} */
    private boolean hostHeard() {
        return host.fired.remove(hostRx.virq());
    }

    @Test
    void aVmInJavaHearsEachPushAndEachCrossing() {
        assertThat(guestSends(false)).startsWith(0, 1);
        assertThat(hostHeard()).as("from none to one").isTrue();
        for (int waiting = 1; waiting < DEPTH - 1; waiting++) {
            assertThat(guestSends(true)).startsWith(0, 1);
            assertThat(hostHeard()).as("pushed while %d wait", waiting).isTrue();
        }
        assertThat(guestSends(false)).startsWith(0, 0);
        assertThat(hostHeard()).as("not pushed, and others wait").isFalse();
        for (int left = DEPTH - 1; left >= 0; left--) {
            assertThat(hostReceives()).startsWith(0, SIZE, left > 0 ? 1 : 0);
        }
        assertThat(guestSends(false)).startsWith(0, 1);
        assertThat(hostHeard()).as("from none to one again").isTrue();
    }

    @Test
    void aGuestHearsEachPushAlsoWhileItHasNotReadTheOnesBefore() {
        guest.enable(guestRxLine);
        for (int waiting = 0; waiting < DEPTH; waiting++) {
            assertThat(host.call(SEND, hostTx.capId(), SIZE, BUFFER, 1)[0]).isZero();
            assertThat(guest.awaitInterrupt()).as("pushed while %d wait", waiting).isEqualTo(guestRxLine);
        }
        for (int left = DEPTH - 1; left >= 0; left--) {
            assertThat(guest.call(RECEIVE, guestRx, MESSAGE, SIZE)).startsWith(0, SIZE, left > 0 ? 1 : 0);
        }
    }

    /** The sender waits for its interrupt at a full queue, the receiver for its at an empty one; nobody asks twice. */
    @Test
    void whoDrainsAtEachInterruptGetsAllOfIt() throws InterruptedException, ExecutionException, TimeoutException {
        System.out.printf("QueueInterruptsTest: seed %d%n", SEED);
        Random random = new Random(SEED);
        guest.enable(guestTxLine);
        for (int threshold : new int[] {1, 3, DEPTH}) {
            assertThat(host.call(CONFIGURE_RECEIVE, hostRx.capId(), threshold, UNCHANGED, -1)[0]).isZero();
            hostHeard();
            CompletableFuture<Integer> receiver = CompletableFuture.supplyAsync(this::receiveAll);
            for (int message = 1; message <= MESSAGES / 3; message++) {
                assertThat(guest.store(MESSAGE, message)).isTrue();
                // Above a threshold of one, what does not reach it has to be pushed to be heard of.
                boolean last = message == MESSAGES / 3 || random.nextInt(4) == 0;
                long[] x = guestSends(last && threshold > 1 || random.nextInt(8) == 0);
                while (x[0] == FULL) {
                    assertThat(guest.awaitInterrupt()).isEqualTo(guestTxLine);
                    x = guestSends(true);
                }
                assertThat(x[0]).isZero();
            }
            assertThat(receiver.get(RealHost.LIMIT_SECONDS, TimeUnit.SECONDS)).isEqualTo(MESSAGES / 3);
        }
    }

    private int receiveAll() {
        int expected = 1;
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(RealHost.LIMIT_SECONDS);
        while (expected <= MESSAGES / 3) {
            while (!hostHeard()) {
                assertThat(System.nanoTime() - deadline).as("an interrupt for message %d", expected).isNegative();
                LockSupport.parkNanos(10_000);
            }
            for (long[] x = {0, 0, 1}; x[2] != 0; expected += x[0] == 0 ? 1 : 0) {
                x = hostReceives();
                assertThat(x[0] == 0 ? host.read(BUFFER) : expected).isEqualTo(expected);
            }
        }
        return expected - 1;
    }
}
