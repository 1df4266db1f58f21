package gunyah.vmm.virtio;

import java.util.List;

/**
 * All RAM of a VM that shares it with its host, in pieces: the device tree between them is the guest's alone, and its
 * driver has no reason to name it. As the pieces, one device's own.
 */
public final class SplitMemory implements GuestMemory {
    private final GuestMemory[] pieces;

    public SplitMemory(List<? extends GuestMemory> pieces) {
        this.pieces = pieces.toArray(GuestMemory[]::new);
    }

    /** {@return the piece that holds the range, or null} */
    private GuestMemory find(long gpa, long length) {
        for (GuestMemory piece : pieces) {
            if (piece.contains(gpa, length)) {
                return piece;
            }
        }
        return null;
    }

    private GuestMemory at(long gpa, long length) {
        GuestMemory piece = find(gpa, length);
        if (piece == null) {
            throw new IllegalStateException("a device touched 0x%x+0x%x".formatted(gpa, length));
        }
        return piece;
    }

    @Override
    public boolean contains(long gpa, long length) {
        return find(gpa, length) != null;
    }

    @Override
    public boolean isWhole() {
        return true;
    }

    @Override
    public void read(long gpa, byte[] target, int from, int length) {
        at(gpa, length).read(gpa, target, from, length);
    }

    @Override
    public void write(long gpa, byte[] source, int from, int length) {
        at(gpa, length).write(gpa, source, from, length);
    }

    @Override
    public int load16(long gpa) {
        return at(gpa, 2).load16(gpa);
    }

    @Override
    public int load32(long gpa) {
        return at(gpa, 4).load32(gpa);
    }

    @Override
    public long load64(long gpa) {
        return at(gpa, 8).load64(gpa);
    }

    @Override
    public void store16(long gpa, int value) {
        at(gpa, 2).store16(gpa, value);
    }

    @Override
    public void store32(long gpa, int value) {
        at(gpa, 4).store32(gpa, value);
    }

    @Override
    public void fence() {
        pieces[0].fence();
    }
}
