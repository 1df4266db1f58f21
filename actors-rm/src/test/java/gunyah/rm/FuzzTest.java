package gunyah.rm;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.rm.root.RmProfile;
import gunyah.rm.rpc.AclEntry;
import gunyah.rm.rpc.Fragmenter;
import gunyah.rm.rpc.MemRange;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.PacketType;
import gunyah.rm.rpc.ParcelCreate;
import gunyah.rm.rpc.Reassembler;
import gunyah.rm.rpc.RmMessage;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Frames with changed, cut and added bytes, from the primary VM and from a guest: each whole request is answered once,
 * nothing else is, and the Resource Manager never fails. {@code -Dgunyah.rm.fuzz-frames=1000000} is the long run.
 */
class FuzzTest {
    private static final int FRAMES = Integer.getInteger("gunyah.rm.fuzz-frames", 20_000);
    private static final long SEED = Long.getLong("gunyah.test.seed", 20_261_125L);
    private static final long GROWTH_FLOOR = 4L << 20;

    private final Random random = new Random(SEED);
    private final List<byte[]> seeds = new ArrayList<>();
    private long requests;

    @Test
    void mutatedFramesAreAnsweredOrDroppedAsTheRulesSay() {
        System.out.printf("FuzzTest: seed %d, %d frames%n", SEED, FRAMES);
        HostClient host = new HostClient(RmProfile.strict());
        int vmid = host.running(GuestTrees.linked("a"), 0x4800_0000L);
        HostClient guest = host.guest(vmid);
        host.hyp.callsUntilDefect = 0;
        frames(vmid);
        Reassembler hosts = new Reassembler();
        Reassembler guests = new Reassembler();
        long answered = host.answered;
        long half = 0;
        long ofGuest = 0;

        for (int frame = 0; frame < FRAMES; frame++) {
            // A request of the host may have stopped and reset the guest.
            boolean fromHost = random.nextInt(4) != 0 || !guest.isLinked();
            ofGuest += fromHost ? 0 : 1;
            send(fromHost ? host : guest, fromHost ? hosts : guests);
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

    // A frame of each request with a plausible payload, and some of several packets.
    private void frames(int vmid) {
        for (MessageId id : MessageId.values()) {
            // A stopped guest sends nothing any more: the frames of the other VM would be all that is left.
            if (id != MessageId.VM_STOP && id != MessageId.VM_EXIT && !id.isNotification()) {
                for (int size : new int[] {0, 4, 8, 12, 16, 20, 24, 28, 40}) {
                    byte[] payload = new byte[size];
                    if (size >= 2) {
                        payload[0] = (byte) vmid;
                    }
                    seeds.addAll(Fragmenter.split(new RmMessage(PacketType.REQUEST, 7, id.id(), payload)));
                }
            }
        }
        for (MessageId id : List.of(MessageId.MEM_LEND, MessageId.MEM_SHARE, MessageId.MEM_DONATE)) {
            for (int count : new int[] {1, 20}) {
                List<MemRange> ranges = new ArrayList<>();
                for (int i = 0; i < count; i++) {
                    ranges.add(new MemRange(0x4900_0000L + i * 0x2000L, 0x1000));
                }
                seeds.addAll(Fragmenter.split(new RmMessage(PacketType.REQUEST, 9, id.id(), new ParcelCreate(0, 0, 0,
                        List.of(new AclEntry(vmid, 7)), ranges, List.of()).encode())));
            }
        }
    }

    private void send(HostClient client, Reassembler reference) {
        byte[] frame = seeds.get(random.nextInt(seeds.size())).clone();
        switch (random.nextInt(4)) {
            case 0 -> frame = Arrays.copyOf(frame, 1 + random.nextInt(Fragmenter.PACKET_SIZE));
            case 1 -> {
                for (int i = random.nextInt(4); i >= 0; i--) {
                    frame[random.nextInt(frame.length)] = (byte) random.nextInt();
                }
            }
            case 2 -> {
                if (frame.length > 8) {
                    frame[8 + random.nextInt(frame.length - 8)] ^= (byte) (1 << random.nextInt(8));
                }
            }
            default -> { }
        }
        reference.accept(frame, frame.length).filter(m -> m.type() == PacketType.REQUEST)
                .ifPresent(m -> requests++);
        client.postRaw(frame);
        client.read();
    }
}
