package gunyah.vmm.virtio;

import gunyah.vmm.driver.HostMapping;
import java.lang.invoke.VarHandle;

/**
 * What a VM shares with its host, seen through the host's mapping of it. One device's own: it is used with that
 * device's monitor held.
 */
public final class MappedMemory implements GuestMemory {
    private final HostMapping mapping;
    private final long base;
    private final long size;
    /** Aligned in the array as in guest memory, so that a copy of 2, 4 or 8 bytes is one access. */
    private final byte[] word = new byte[8];

    /**
     * Takes a mapping.
     *
     * @param base guest physical address of its first byte
     */
    public MappedMemory(HostMapping mapping, long base, long size) {
        this.mapping = mapping;
        this.base = base;
        this.size = size;
    }

    @Override
    public boolean contains(long gpa, long length) {
        return length >= 0 && gpa >= base && length <= size && gpa - base <= size - length;
    }

    @Override
    public void read(long gpa, byte[] target, int from, int length) {
        mapping.read(gpa - base, target, from, length);
    }

    @Override
    public void write(long gpa, byte[] source, int from, int length) {
        mapping.write(gpa - base, source, from, length);
    }

    @Override
    public int load16(long gpa) {
        mapping.read(gpa - base, word, 0, 2);
        return Bits.le16(word, 0);
    }

    @Override
    public int load32(long gpa) {
        mapping.read(gpa - base, word, 0, 4);
        return Bits.le32(word, 0);
    }

    @Override
    public long load64(long gpa) {
        mapping.read(gpa - base, word, 0, 8);
        return Bits.le64(word, 0);
    }

    @Override
    public void store16(long gpa, int value) {
        Bits.le16(word, 0, value);
        mapping.write(gpa - base, word, 0, 2);
    }

    @Override
    public void store32(long gpa, int value) {
        Bits.le32(word, 0, value);
        mapping.write(gpa - base, word, 0, 4);
    }

    @Override
    public void fence() {
        VarHandle.fullFence();
    }
}
