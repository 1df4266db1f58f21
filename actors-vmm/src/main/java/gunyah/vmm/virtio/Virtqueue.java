package gunyah.vmm.virtio;

/**
 * The device's side of a split virtqueue (virtio 1.2, 2.7): ring indices, descriptor chains, indirect tables, event
 * suppression. Addresses were checked when it was made, descriptors are checked as they come. What a driver gets wrong
 * makes the queue {@link #broken}: it then offers nothing any more. Owned by the device's loop.
 */
public final class Virtqueue {
    /** Size offered to drivers. */
    public static final int MAX_SIZE = 256;

    private static final int DESCRIPTOR_SIZE = 16;
    private static final int F_NEXT = 1;
    private static final int F_WRITE = 2;
    private static final int F_INDIRECT = 4;
    private static final int AVAIL_F_NO_INTERRUPT = 1;
    private static final int USED_F_NO_NOTIFY = 1;
    private static final int MASK_16 = 0xffff;

    private final GuestMemory memory;
    private final int size;
    private final long descriptors;
    private final long avail;
    private final long used;
    private final boolean eventIdx;
    private final boolean indirect;
    private final byte[] descriptor = new byte[DESCRIPTOR_SIZE];
    private int nextAvail;
    private int nextUsed;
    private int signalled;
    private String broken;

    private Virtqueue(GuestMemory memory, int size, long descriptors, long avail, long used, long features) {
        this.memory = memory;
        this.size = size;
        this.descriptors = descriptors;
        this.avail = avail;
        this.used = used;
        this.eventIdx = (features & Features.EVENT_IDX) != 0;
        this.indirect = (features & Features.INDIRECT_DESC) != 0;
    }

    /**
     * Makes a queue where the driver put it.
     *
     * @param size        entries, a power of two up to {@link #MAX_SIZE}
     * @param descriptors guest physical addresses of descriptor table, available ring and used ring
     * @param features    negotiated
     * @return null when the driver's values are illegal or not in memory the device can reach
     */
    public static Virtqueue of(GuestMemory memory, int size, long descriptors, long avail, long used, long features) {
        boolean legal = size > 0 && size <= MAX_SIZE && Integer.bitCount(size) == 1
                && (descriptors & DESCRIPTOR_SIZE - 1) == 0 && (avail & 1) == 0 && (used & 3) == 0
                && memory.contains(descriptors, (long) size * DESCRIPTOR_SIZE)
                && memory.contains(avail, 6 + 2L * size) && memory.contains(used, 6 + 8L * size);
        return legal ? new Virtqueue(memory, size, descriptors, avail, used, features) : null;
    }

    /** {@return what the driver got wrong; null when nothing} */
    public String broken() {
        return broken;
    }

    /** Takes the queue out of use. */
    public void breakDown(String reason) {
        if (broken == null) {
            broken = reason;
        }
    }

    /** Takes the next available buffer. {@return whether there was one} */
    public boolean pop(DescriptorChain chain) {
        if (broken != null) {
            return false;
        }
        int waiting = memory.load16(avail + 2) - nextAvail & MASK_16;
        if (waiting == 0) {
            return false;
        }
        if (waiting > size) {
            breakDown("%d buffers are available in a queue of %d".formatted(waiting, size));
            return false;
        }
        memory.fence();
        int head = memory.load16(avail + 4 + 2L * (nextAvail & size - 1));
        chain.begin(head);
        String wrong = collect(chain, descriptors, size, head, true);
        if (wrong != null) {
            breakDown(wrong);
            return false;
        }
        chain.end();
        nextAvail = nextAvail + 1 & MASK_16;
        return true;
    }

    /** Walks a table; {@code direct} tables may lead to one indirect table. {@return null, or what is wrong} */
    private String collect(DescriptorChain chain, long table, int entries, int first, boolean direct) {
        int index = first;
        for (int steps = 0; steps < entries; steps++) {
            if (index >= entries) {
                return "descriptor %d of %d".formatted(index, entries);
            }
            memory.read(table + (long) index * DESCRIPTOR_SIZE, descriptor, 0, DESCRIPTOR_SIZE);
            long gpa = Bits.le64(descriptor, 0);
            long length = Bits.le32(descriptor, 8) & 0xffff_ffffL;
            int flags = Bits.le16(descriptor, 12);
            if ((flags & F_INDIRECT) != 0) {
                return direct ? collectIndirect(chain, gpa, length, flags) : "an indirect table in an indirect table";
            }
            String wrong = chain.add(gpa, length, (flags & F_WRITE) != 0);
            if (wrong != null) {
                return wrong;
            }
            if ((flags & F_NEXT) == 0) {
                return null;
            }
            index = Bits.le16(descriptor, 14);
        }
        return "a descriptor chain is a loop";
    }

    private String collectIndirect(DescriptorChain chain, long table, long length, int flags) {
        if (!indirect || (flags & F_NEXT) != 0 || length == 0 || length % DESCRIPTOR_SIZE != 0
                || length / DESCRIPTOR_SIZE > DescriptorChain.MAX_PARTS || !memory.contains(table, length)) {
            return "indirect table 0x%x+0x%x with flags %d".formatted(table, length, flags);
        }
        return collect(chain, table, (int) (length / DESCRIPTOR_SIZE), 0, false);
    }

    /** Undoes the last {@code count} calls of {@link #pop}; nothing may have been pushed since. */
    public void unpop(int count) {
        nextAvail = nextAvail - count & MASK_16;
    }

    /** Gives a buffer back to the driver; {@link DescriptorChain#written} bytes of it are new. */
    public void push(DescriptorChain chain) {
        put(0, chain.head(), (int) chain.written());
        publish(1);
    }

    /** Writes a used entry that the driver does not see before {@link #publish}, {@code after} others like it. */
    public void put(int after, int head, int written) {
        long entry = used + 4 + 8L * (nextUsed + after & size - 1);
        memory.store32(entry, head);
        memory.store32(entry + 4, written);
    }

    /** Shows the driver {@code count} used entries at once. */
    public void publish(int count) {
        memory.fence();
        nextUsed = nextUsed + count & MASK_16;
        memory.store16(used + 2, nextUsed);
    }

    /** {@return whether the driver wants an interrupt for what was pushed since the last time this was asked} */
    public boolean wantsInterrupt() {
        if (broken != null || nextUsed == signalled) {
            return false;
        }
        memory.fence();
        boolean wants;
        if (eventIdx) {
            int event = memory.load16(avail + 4 + 2L * size);
            wants = (nextUsed - event - 1 & MASK_16) < (nextUsed - signalled & MASK_16);
        } else {
            wants = (memory.load16(avail) & AVAIL_F_NO_INTERRUPT) == 0;
        }
        signalled = nextUsed;
        return wants;
    }

    /** Tells the driver that it need not notify: the device looks by itself until {@link #expectNotification}. */
    public void ignoreNotifications() {
        if (!eventIdx) {
            memory.store16(used, USED_F_NO_NOTIFY);
        }
    }

    /** Asks for a notification of the next buffer. {@return whether one came in between, which nobody will notify} */
    public boolean expectNotification() {
        if (broken != null) {
            return false;
        }
        if (eventIdx) {
            memory.store16(used + 4 + 8L * size, nextAvail);
        } else {
            memory.store16(used, 0);
        }
        memory.fence();
        return memory.load16(avail + 2) != nextAvail;
    }
}
