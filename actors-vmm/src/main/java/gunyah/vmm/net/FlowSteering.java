package gunyah.vmm.net;

import gunyah.vmm.virtio.Bits;

/**
 * Which pair of queues gets a received frame (virtio 1.2, 5.1.6.5.6.1): the one that the guest last sent a frame of the
 * same flow through. Flows are told apart by a hash that is the same in both directions. Written by the device's loop,
 * read by the network's threads; a stale entry costs order between two flows' frames at most.
 */
final class FlowSteering {
    private static final int SLOTS = 256;
    private static final int ADDRESSES = Ip4.IP + 12;

    private final byte[] pair = new byte[SLOTS];

    void forget() {
        java.util.Arrays.fill(pair, (byte) 0);
    }

    /** The guest sent a frame through this pair. */
    void sent(Frame frame, int through) {
        pair[slot(frame)] = (byte) through;
    }

    /** {@return the pair that a frame for the guest belongs to, of those in use} */
    int pairFor(Frame frame, int inUse) {
        return inUse == 1 ? 0 : pair[slot(frame)] % inUse;
    }

    private static int slot(Frame frame) {
        byte[] bytes = frame.bytes();
        int hash = 0;
        if (frame.length() >= Ip4.TRANSPORT + 4 && Bits.be16(bytes, 12) == Ip4.ETHERTYPE) {
            hash = Bits.be32(bytes, ADDRESSES) ^ Bits.be32(bytes, ADDRESSES + 4) ^ Ip4.protocol(bytes);
            if (Ip4.protocol(bytes) == Ip4.TCP || Ip4.protocol(bytes) == Ip4.UDP) {
                int ports = Ip4.IP + (bytes[Ip4.IP] & 0xf) * 4;
                hash ^= ports + 4 <= frame.length() ? Bits.be16(bytes, ports) ^ Bits.be16(bytes, ports + 2) : 0;
            }
        } else if (frame.length() >= Ip4.IP && Bits.be16(bytes, 12) == Ip6.ETHERTYPE) {
            hash = Ip6.flow(bytes, Ip4.IP, frame.length());
        }
        return (hash * 0x9e3779b1) >>> 24;
    }
}
