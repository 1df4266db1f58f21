package gunyah.vmm.driver;

/**
 * A range of guest physical addresses backed by a range of a guest memory file (v17 24/35). Immutable.
 *
 * @param gpa         first guest physical address
 * @param size        bytes
 * @param file        where the pages come from
 * @param offset      file offset of the first byte
 * @param lend        true: the guest gets the pages for itself; false: host and guest share them
 * @param permissions ALLOW bits of {@link Uapi}
 */
record Binding(long gpa, long size, GuestMemoryFile file, long offset, boolean lend, int permissions) {
    boolean contains(long address) {
        return address - gpa >= 0 && address - gpa < size;
    }

    boolean overlapsGuest(long otherGpa, long otherSize) {
        return gpa < otherGpa + otherSize && otherGpa < gpa + size;
    }

    boolean overlapsFile(long otherOffset, long otherSize) {
        return offset < otherOffset + otherSize && otherOffset < offset + size;
    }

    boolean writable() {
        return (permissions & Uapi.MEM_ALLOW_WRITE) != 0;
    }

    /** {@return whether it is shared memory that holds code} The VMMIO kind of mapping has no room for that. */
    boolean sharesCode() {
        return !lend && (permissions & Uapi.MEM_ALLOW_EXEC) != 0;
    }

    long end() {
        return gpa + size;
    }

    long offsetOf(long address) {
        return offset + (address - gpa);
    }

    long gpaOf(long fileOffset) {
        return gpa + (fileOffset - offset);
    }

    /** {@return the part {@code [from, from + length)} of it} */
    Binding part(long from, long length) {
        return new Binding(from, length, file, offsetOf(from), lend, permissions);
    }
}
