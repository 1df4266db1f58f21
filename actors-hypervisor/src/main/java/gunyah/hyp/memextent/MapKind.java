package gunyah.hyp.memextent;

import gunyah.hyp.addrspace.PageFlags;

/** How a page is mapped (map flags of the newer Gunyah drop). */
enum MapKind {
    NORMAL(0),
    /** Guest memory nobody else has: locked while the guest uses it, zeroed when it leaves. */
    PRIVATE(PageFlags.PRIVATE),
    /** Memory the host shares, in a range whose accesses may also exit to the host. */
    VMMIO(PageFlags.VMMIO);

    private final long flag;

    MapKind(long flag) {
        this.flag = flag;
    }

    /** {@return the {@link PageFlags} bit of a recorded mapping} */
    long flag() {
        return flag;
    }
}
