package gunyah.hyp.virtiommio;

import gunyah.hyp.StateText;

/** What the two sides say about one virtqueue; addresses are the frontend's. The device's actor only. */
final class QueueRegisters {
    int numMax;
    int num;
    int ready;
    long descriptors;
    long driver;
    long device;

    static long withLow(long address, int low) {
        return address & 0xFFFF_FFFF_0000_0000L | Integer.toUnsignedLong(low);
    }

    static long withHigh(long address, int high) {
        return address & 0xFFFF_FFFFL | (long) high << 32;
    }

    void describe(StateText text, int index) {
        text.put("queue." + index + ".max", numMax).put("  num", num).put("  ready", ready);
        text.put("  descriptors", descriptors).put("  driver", driver).put("  device", device);
    }
}
