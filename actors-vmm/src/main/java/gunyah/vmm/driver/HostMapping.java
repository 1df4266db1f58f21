package gunyah.vmm.driver;

/**
 * The host's view of part of a guest memory file (mmap). As long as it is open none of its pages can be lent. Thread
 * safe.
 */
public final class HostMapping implements AutoCloseable {
    private final GuestMemoryFile file;
    private final long offset;
    private final long length;

    HostMapping(GuestMemoryFile file, long offset, long length) {
        this.file = file;
        this.offset = offset;
        this.length = length;
    }

    boolean overlaps(long otherOffset, long otherLength) {
        return offset < otherOffset + otherLength && otherOffset < offset + length;
    }

    /**
     * Copies into the mapping.
     *
     * @param at bytes from the start of the mapping
     * @throws GunyahError EINVAL outside the mapping, ENOMEM
     */
    public void write(long at, byte[] source, int from, int count) {
        check(at, count);
        file.write(offset + at, source, from, count);
    }

    /** Copies out of the mapping; as {@link #write}. */
    public void read(long at, byte[] target, int from, int count) {
        check(at, count);
        file.read(offset + at, target, from, count);
    }

    private void check(long at, int count) {
        if (at < 0 || count < 0 || at > length - count) {
            throw new GunyahError(Errno.EINVAL, "0x%x+0x%x is outside the mapping".formatted(at, count));
        }
    }

    @Override
    public void close() {
        file.unmap(this);
    }
}
