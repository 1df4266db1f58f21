package gunyah.vmm.balloon;

/** The memory of a guest that a balloon gives back. Called by the device's loop; may block. */
public interface GuestPages {
    /** Takes the 4 KiB page at {@code gpa} away: the guest's next touch finds zeros. {@return whether it was there} */
    boolean reclaim(long gpa);
}
