package gunyah.vmm.virtio;

/**
 * The guest memory a device may reach, by guest physical address, little endian. Whoever passes an address has asked
 * {@link #contains} before; an access outside is a defect of ours. Thread safe; what a vCPU does at the same moment is
 * seen in any order but for {@link #fence}.
 */
public interface GuestMemory {
    /** {@return whether {@code length} bytes from {@code gpa} can be reached, in one piece} */
    boolean contains(long gpa, long length);

    /** {@return whether that is all memory a driver may name} Else drivers must keep to their platform's rules for DMA. */
    default boolean isWhole() {
        return false;
    }

    void read(long gpa, byte[] target, int from, int length);

    void write(long gpa, byte[] source, int from, int length);

    /** Loads two aligned bytes in one access. */
    int load16(long gpa);

    int load32(long gpa);

    long load64(long gpa);

    /** Stores two aligned bytes in one access. */
    void store16(long gpa, int value);

    void store32(long gpa, int value);

    /** Orders every access before it with every access after it; pairs with the barriers of the guest's driver. */
    void fence();
}
