package gunyah.rm;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import gunyah.config.fdt.DtNode;
import gunyah.rm.RealHost.Ended;
import gunyah.rm.root.RmProfile;
import gunyah.rm.root.RmTrace;
import gunyah.rm.rpc.Fragmenter;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.PacketType;
import gunyah.rm.rpc.ParcelReturn;
import gunyah.rm.rpc.Reassembler;
import gunyah.rm.rpc.Reply;
import gunyah.rm.rpc.RmMessage;
import gunyah.rm.rpc.StopRequest;
import gunyah.rm.rpc.VmRequest;
import gunyah.rm.rpc.VmState;
import java.util.EnumMap;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/**
 * {@link Mutants} that guest code sends on the real hypervisor, and some that its owner does: each whole request is
 * answered once, nothing else is, and the Resource Manager never fails. A guest that one of them ends is started again
 * by its owner. {@code -Dgunyah.rm.fuzz-guest-frames=1000000} is the long run.
 */
@Tag("guest")
class GuestFuzzTest {
    private static final int FRAMES = Integer.getInteger("gunyah.rm.fuzz-guest-frames", 2_000);
    private static final long SEED = Long.getLong("gunyah.test.seed", 20_261_125L);
    private static final long GROWTH_FLOOR = 4L << 20;
    private static final long BASE = 0x4400_0000L;
    private static final int PACKET = 0x200;
    private static final int SEND = 0x1b;
    private static final int RECEIVE = 0x1c;
    private static final int FULL = 61;
    private static final int FIRST_VMID = 128;
    private static final int END_VMID = 191;

    private final AtomicLong answered = new AtomicLong();
    private final AtomicLong restarts = new AtomicLong();
    private final Random random = new Random(SEED);
    private final RealHost host = new RealHost(2, 256L << 20, RmProfile.strict(), new RmTrace() {
        @Override
        public void answered(int vmid, RmMessage request, Reply reply) {
            answered.incrementAndGet();
        }

        @Override
        public void restarted() {
            restarts.incrementAndGet();
        }
    }, port -> port);
    private final Map<PacketType, Long> received = new EnumMap<>(PacketType.class);
    private Reassembler ofHost = new Reassembler();
    private Reassembler ofGuest = new Reassembler();
    private Reassembler toGuest = new Reassembler();
    private Agent guest;
    private long tx;
    private long rx;
    private long requests;
    private long expected;

    @BeforeAll
    static void silence() {
        ((Logger) LoggerFactory.getLogger("ROOT")).setLevel(Level.OFF);
    }

    @AfterAll
    static void speak() {
        ((Logger) LoggerFactory.getLogger("ROOT")).setLevel(Level.INFO);
    }

    @AfterEach
    void stop() {
        host.close();
    }

    @Test
    @Invariant({"T2", "T3"})
    void mutatedFramesOfGuestCodeAreAnsweredOrDroppedAndTheGuestIsRevived() {
        System.out.printf("GuestFuzzTest: seed %d, %d frames%n", SEED, FRAMES);
        guest = new Agent(host, Agent.tree("fuzzed", 1), BASE);
        begin();
        Mutants mutants = new Mutants(random, guest.vmid, Set.of());
        long half = 0;
        long ofGuestCode = 0;
        long ofGuestWhole = 0;
        long revived = 0;

        for (int frame = 0; frame < FRAMES; frame++) {
            if (host.exit(guest.vmid).isPresent() || host.state(guest.vmid) != VmState.RUNNING) {
                revive();
                revived++;
            }
            boolean fromGuest = random.nextInt(8) != 0;
            ofGuestCode += fromGuest ? 1 : 0;
            boolean whole = fromGuest ? ofGuest(mutants.next()) : ofHost(mutants.next());
            requests += whole ? 1 : 0;
            ofGuestWhole += whole && fromGuest ? 1 : 0;
            expected += whole ? 1 : 0;
            settle();
            half = frame == FRAMES / 2 ? heap() : half;
        }

        System.out.printf("GuestFuzzTest: %d frames of guest code, %d of its owner; %d requests, all answered, "
                + "%d frames dropped or part of one; the guest received %s and was started again %d times%n",
                ofGuestCode, FRAMES - ofGuestCode, requests, FRAMES - requests, received, revived);
        assertThat(restarts.get()).as("restarts of the Resource Manager").isZero();
        assertThat(ofGuestCode).isGreaterThan(FRAMES * 3L / 4);
        assertThat(requests).isGreaterThan(FRAMES / 4);
        // Each life ends by one that may not live to read its answer.
        assertThat(received.get(PacketType.REPLY)).isBetween(ofGuestWhole - revived, ofGuestWhole);
        assertThat(heap()).isLessThan(half + half / 20 + GROWTH_FLOOR);
    }

    private static long heap() {
        System.gc();
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }

    private void begin() {
        host.forget();
        guest.start();
        guest.run();
        ofGuest = new Reassembler();
        toGuest = new Reassembler();
        DtNode manager = guest.patched().child("hypervisor").orElseThrow().children().stream()
                .filter(node -> node.isCompatible("gunyah-resource-manager")).findFirst().orElseThrow();
        tx = DtNode.number(manager.cells("reg").orElseThrow(), 0, 2);
        rx = DtNode.number(manager.cells("reg").orElseThrow(), 2, 2);
        expected = answered.get();
    }

    // Frames may have taken it anywhere between RUNNING and gone.
    private void revive() {
        // The owner's requests end whatever its frames had begun.
        ofHost = new Reassembler();
        host.request(MessageId.VM_STOP, new StopRequest(guest.vmid, 1, 3));
        boolean resets = host.request(MessageId.VM_RESET, new VmRequest(guest.vmid)).code() == 0;
        if (resets || host.state(guest.vmid) == VmState.RESETTING) {
            host.awaitState(guest.vmid, VmState.RESET);
        }
        guest.handles().forEach(handle -> host.request(MessageId.MEM_RECLAIM, new ParcelReturn(handle, 0)));
        for (int vmid = FIRST_VMID; vmid < END_VMID; vmid++) {
            host.request(MessageId.VM_DEALLOC_VMID, new VmRequest(vmid));
        }
        guest = new Agent(host, Agent.tree("fuzzed", 1), BASE);
        begin();
    }

    /** Sends a frame. {@return whether that makes a request whole} */
    private boolean ofHost(byte[] frame) {
        boolean whole = isRequest(ofHost, frame);
        host.post(frame);
        if (whole) {
            // Its answer comes after the news of what the frame did.
            host.request(MessageId.VM_GET_VMID, () -> new byte[0]);
            expected++;
        }
        return whole;
    }

    private boolean ofGuest(byte[] frame) {
        boolean whole = isRequest(ofGuest, frame);
        try {
            host.hypervisor.memory().write(BASE + Agent.IMAGE_SIZE + PACKET, frame, 0, frame.length);
            long error = guest.call(SEND, tx, frame.length, Agent.PAGE_IPA + PACKET, 1)[0];
            while (error == FULL) {
                error = guest.call(SEND, tx, frame.length, Agent.PAGE_IPA + PACKET, 1)[0];
            }
            assertThat(error).isZero();
        } catch (Ended sooner) {
            // This frame ended it, sooner than it could say that it had sent it.
            assertThat(whole).as("%s", sooner).isTrue();
        }
        return whole;
    }

    private static boolean isRequest(Reassembler reference, byte[] frame) {
        return reference.accept(frame, frame.length).filter(m -> m.type() == PacketType.REQUEST).isPresent();
    }

    /** Waits for the answers, and lets the guest read what there is. */
    private void settle() {
        long deadline = System.nanoTime() + RealHost.LIMIT_SECONDS * 1_000_000_000L;
        for (int spins = 0; answered.get() < expected; spins++) {
            if (spins > 1000) {
                LockSupport.parkNanos(50_000);
            }
            assertThat(System.nanoTime() - deadline).as("answers: %d of %d", answered.get(), expected).isNegative();
        }
        assertThat(answered.get()).as("answers").isEqualTo(expected);
        try {
            while (host.exit(guest.vmid).isEmpty()) {
                long[] x = guest.call(RECEIVE, rx, Agent.PAGE_IPA + PACKET, Fragmenter.PACKET_SIZE);
                if (x[0] != 0) {
                    return;
                }
                byte[] packet = new byte[(int) x[1]];
                host.hypervisor.memory().read(BASE + Agent.IMAGE_SIZE + PACKET, packet, 0, packet.length);
                toGuest.accept(packet, packet.length).ifPresent(m -> received.merge(m.type(), 1L, Long::sum));
            }
        } catch (Ended revivedLater) {
            assertThat(host.exit(guest.vmid)).isPresent();
        }
    }
}
