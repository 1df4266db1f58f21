package gunyah.rm.memparcel;

import gunyah.rm.root.PhysRange;

/**
 * Physically contiguous memory that a VM owns or has made a parcel of. Bytes, page aligned.
 *
 * @param base physical address
 * @param size bytes
 * @param ipa  where its owner has it
 */
public record Region(long base, long size, long ipa) {
    PhysRange physical() {
        return new PhysRange(base, size);
    }

    long end() {
        return ipa + size;
    }

    /** {@return its part from IPA {@code from} up to {@code to}, which lie in it} */
    Region part(long from, long to) {
        return new Region(base + from - ipa, to - from, from);
    }
}
