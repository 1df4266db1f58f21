package gunyah.hyp.memextent;

import gunyah.memory.Access;

/**
 * Attributes of a memory extent (Gunyah memextent_attrs): access in bits 2:0, memory type in 9:8, extent type in 17:16.
 *
 * @param access  most that a mapping may allow, {@link Access} bits
 * @param memtype {@link #ANY}, {@link #DEVICE} or {@link #UNCACHED}
 * @param sparse  memory comes and goes by donation, mappings may be partial
 */
record ExtentAttributes(int access, int memtype, boolean sparse) {
    static final int ANY = 0;
    static final int DEVICE = 1;
    static final int UNCACHED = 2;

    private static final int WX = 3;
    private static final long DEFINED = 0x3_0307L;

    /** {@return the attributes of a register value, or null when they are not legal} */
    static ExtentAttributes decode(long bits) {
        int access = (int) bits & 7;
        int memtype = (int) bits >>> 8 & 3;
        int type = (int) bits >>> 16 & 3;
        if ((bits & ~DEFINED) != 0 || access == WX || memtype > UNCACHED || type > 1) {
            return null;
        }
        return new ExtentAttributes(access, memtype, type == 1);
    }

    /** {@return whether an extent with these attributes may be derived from one with the parent's} */
    boolean within(ExtentAttributes parent) {
        return Access.allows(parent.access, access) && (parent.memtype == ANY || parent.memtype == memtype);
    }

    /** {@return whether a mapping may have this stage-2 memory type (Gunyah pgtable_vm_memtype)} */
    boolean allowsMemtype(int stage2Memtype) {
        return switch (stage2Memtype) {
            case 0, 1, 2, 3 -> true;
            case 5 -> memtype != DEVICE;
            case 6, 7, 9, 0xA, 0xB, 0xD, 0xE, 0xF -> memtype == ANY;
            default -> false;
        };
    }
}
