package gunyah.vmm.virtio;

import java.util.Arrays;

/** Guest memory of a test: an array at some address, and who touches anything outside is wrong. */
public final class ArrayMemory implements GuestMemory {
    public static final long BASE = 0x2000_0000L;

    public final byte[] bytes;

    public ArrayMemory(int size) {
        bytes = new byte[size];
    }

    private int at(long gpa, int length) {
        if (!contains(gpa, length)) {
            throw new AssertionError("device touched 0x%x+0x%x".formatted(gpa, length));
        }
        return (int) (gpa - BASE);
    }

    @Override
    public boolean contains(long gpa, long length) {
        return length >= 0 && gpa >= BASE && length <= bytes.length && gpa - BASE <= bytes.length - length;
    }

    @Override
    public void read(long gpa, byte[] target, int from, int length) {
        System.arraycopy(bytes, at(gpa, length), target, from, length);
    }

    @Override
    public void write(long gpa, byte[] source, int from, int length) {
        System.arraycopy(source, from, bytes, at(gpa, length), length);
    }

    @Override
    public int load16(long gpa) {
        return Bits.le16(bytes, at(gpa, 2));
    }

    @Override
    public int load32(long gpa) {
        return Bits.le32(bytes, at(gpa, 4));
    }

    @Override
    public long load64(long gpa) {
        return Bits.le64(bytes, at(gpa, 8));
    }

    @Override
    public void store16(long gpa, int value) {
        Bits.le16(bytes, at(gpa, 2), value);
    }

    @Override
    public void store32(long gpa, int value) {
        Bits.le32(bytes, at(gpa, 4), value);
    }

    public void store64(long gpa, long value) {
        Bits.le64(bytes, at(gpa, 8), value);
    }

    public byte[] copy(long gpa, int length) {
        int at = at(gpa, length);
        return Arrays.copyOfRange(bytes, at, at + length);
    }

    @Override
    public void fence() {
        // one thread
    }
}
