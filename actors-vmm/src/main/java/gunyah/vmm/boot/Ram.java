package gunyah.vmm.boot;

import gunyah.config.BadInput;

/**
 * The guest's RAM.
 *
 * @param base first address, 2 MiB aligned
 * @param size bytes
 */
public record Ram(long base, long size) {
    public long end() {
        return base + size;
    }

    boolean contains(long address, long length) {
        return address >= base && length >= 0 && address - base <= size - length;
    }

    /** Checks that a range fits. @throws BadInput saying how much memory it would take */
    void require(String what, long address, long length) {
        if (length < 0 || address < base) {
            throw new BadInput("%s wants address 0x%x, but guest memory starts at 0x%x".formatted(what, address, base));
        }
        if (!contains(address, length)) {
            long needed = address - base + length + (1 << 20) - 1 >> 20;
            throw new BadInput("%s does not fit: it needs guest memory of at least %d MiB, the VM has %d MiB; "
                    .formatted(what, needed, size >> 20) + "give it more memory");
        }
    }
}
