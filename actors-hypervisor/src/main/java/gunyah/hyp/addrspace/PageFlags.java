package gunyah.hyp.addrspace;

/**
 * Bits of a stage-2 entry above the address, which only the hypervisor reads: how the page was mapped (Gunyah map
 * flags of the newer drop). {@link gunyah.memory.Stage2Table} readers ignore them.
 */
public final class PageFlags {
    /** Mapped Private: nobody else has the page. */
    public static final long PRIVATE = 1L << 56;
    /** The guest may still use the page: it cannot be unmapped. */
    public static final long LOCKED = 1L << 57;
    /** Unlocked with do-not-sanitise: its contents may leave the VM. */
    public static final long KEEP_CONTENTS = 1L << 58;
    /** Mapped VMMIO. */
    public static final long VMMIO = 1L << 59;

    private PageFlags() {
    }
}
