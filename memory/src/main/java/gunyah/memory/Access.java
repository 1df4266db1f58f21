package gunyah.memory;

/**
 * Access rights as Gunyah encodes them (pgtable_access): a set of {@link #R}, {@link #W} and {@link #X} in three bits.
 */
public final class Access {
    public static final int NONE = 0;
    public static final int X = 1;
    public static final int W = 2;
    public static final int R = 4;
    public static final int RX = 5;
    public static final int RW = 6;
    public static final int RWX = 7;

    private Access() {
    }

    /** {@return whether {@code rights} includes all of {@code wanted}} */
    public static boolean allows(int rights, int wanted) {
        return (rights & wanted) == wanted;
    }
}
