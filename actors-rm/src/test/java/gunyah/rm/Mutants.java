package gunyah.rm;

import gunyah.rm.rpc.AclEntry;
import gunyah.rm.rpc.Fragmenter;
import gunyah.rm.rpc.MemRange;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.PacketType;
import gunyah.rm.rpc.ParcelCreate;
import gunyah.rm.rpc.RmMessage;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;

/** Frames that ask for everything there is, with changed, cut and added bytes. */
final class Mutants {
    private static final int HEADER = 8;

    private final Random random;
    private final List<byte[]> seeds = new ArrayList<>();

    /**
     * Frames of each request with plausible payloads, and some of several packets.
     *
     * @param vmid    the VM that most of them are about
     * @param without requests that none begins as
     */
    Mutants(Random random, int vmid, Set<MessageId> without) {
        this.random = random;
        for (MessageId id : MessageId.values()) {
            if (!without.contains(id) && !id.isNotification()) {
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

    /** {@return a frame of at most a packet's size} */
    byte[] next() {
        byte[] frame = seeds.get(random.nextInt(seeds.size())).clone();
        switch (random.nextInt(4)) {
            case 0 -> frame = Arrays.copyOf(frame, 1 + random.nextInt(Fragmenter.PACKET_SIZE));
            case 1 -> {
                for (int i = random.nextInt(4); i >= 0; i--) {
                    frame[random.nextInt(frame.length)] = (byte) random.nextInt();
                }
            }
            case 2 -> {
                if (frame.length > HEADER) {
                    frame[HEADER + random.nextInt(frame.length - HEADER)] ^= (byte) (1 << random.nextInt(8));
                }
            }
            default -> { }
        }
        return frame;
    }
}
