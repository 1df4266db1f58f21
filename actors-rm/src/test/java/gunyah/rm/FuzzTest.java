package gunyah.rm;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.rm.root.RmProfile;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.PacketType;
import gunyah.rm.rpc.Reassembler;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/**
 * {@link Mutants} from the primary VM and from a guest, on the model hypervisor: each whole request is answered once,
 * nothing else is, and the Resource Manager never fails. {@code -Dgunyah.rm.fuzz-frames=1000000} is the long run.
 */
class FuzzTest {
    private static final int FRAMES = Integer.getInteger("gunyah.rm.fuzz-frames", 20_000);
    private static final long SEED = Long.getLong("gunyah.test.seed", 20_261_125L);
    private static final long GROWTH_FLOOR = 4L << 20;

    private final Random random = new Random(SEED);
    private long requests;

    @Test
    @Invariant({"T2", "T3"})
    void mutatedFramesAreAnsweredOrDroppedAsTheRulesSay() {
        System.out.printf("FuzzTest: seed %d, %d frames%n", SEED, FRAMES);
        HostClient host = new HostClient(RmProfile.strict());
        int vmid = host.running(GuestTrees.linked("a"), 0x4800_0000L);
        HostClient guest = host.guest(vmid);
        host.hyp.callsUntilDefect = 0;
        // A stopped guest sends nothing any more: the frames of the other VM would be all that is left.
        Mutants mutants = new Mutants(random, vmid, Set.of(MessageId.VM_STOP, MessageId.VM_EXIT));
        Reassembler hosts = new Reassembler();
        Reassembler guests = new Reassembler();
        long answered = host.answered;
        long half = 0;
        long ofGuest = 0;

        for (int frame = 0; frame < FRAMES; frame++) {
            // A request of the host may have stopped and reset the guest.
            boolean fromHost = random.nextInt(4) != 0 || !guest.isLinked();
            ofGuest += fromHost ? 0 : 1;
            send(fromHost ? host : guest, fromHost ? hosts : guests, mutants.next());
            if (frame % 1000 == 0) {
                forget(host, guest);
            }
            half = frame == FRAMES / 2 ? heap() : half;
        }

        System.out.printf("FuzzTest: %d frames of a guest, %d requests%n", ofGuest, requests);
        assertThat(ofGuest).isGreaterThan(1000);
        assertThat(host.restarts).isZero();
        assertThat(host.answered - answered).isEqualTo(requests);
        assertThat(requests).isGreaterThan(FRAMES / 4);
        forget(host, guest);
        assertThat(heap()).isLessThan(half + half / 20 + GROWTH_FLOOR);
    }

    private static void forget(HostClient host, HostClient guest) {
        host.read();
        guest.read();
        host.received.clear();
        guest.received.clear();
    }

    private static long heap() {
        System.gc();
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }

    private void send(HostClient client, Reassembler reference, byte[] frame) {
        reference.accept(frame, frame.length).filter(m -> m.type() == PacketType.REQUEST)
                .ifPresent(m -> requests++);
        client.postRaw(frame);
        client.read();
    }
}
