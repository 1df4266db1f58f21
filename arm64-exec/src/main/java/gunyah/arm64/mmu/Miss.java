package gunyah.arm64.mmu;

/** What translated code throws to leave itself before an instruction that it cannot do at once. Not an error. */
public final class Miss extends RuntimeException {
    /** The only one. */
    public static final Miss MISS = new Miss();

    private static final long serialVersionUID = 1;

    private Miss() {
        super("miss", null, false, false);
    }

    /** Goes on if so. */
    public static void unless(boolean direct) {
        if (!direct) {
            throw MISS;
        }
    }
}
