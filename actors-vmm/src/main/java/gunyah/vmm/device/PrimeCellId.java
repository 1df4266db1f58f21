package gunyah.vmm.device;

/** The eight identification registers at the end of a PrimeCell's page, 0xfe0 to 0xffc, one byte each. */
final class PrimeCellId {
    private static final long FIRST = 0xfe0;
    private static final long PRIMECELL = 0xb105f00dL;

    private final long id;

    /** @param peripheral PeriphID0 to PeriphID3, lowest byte first */
    PrimeCellId(int peripheral) {
        id = PRIMECELL << 32 | peripheral & 0xffff_ffffL;
    }

    /** {@return the register at {@code offset}; 0 below the first} */
    long read(long offset) {
        return offset < FIRST ? 0 : id >>> (offset - FIRST) / 4 * 8 & 0xff;
    }
}
