package gunyah.rm.rpc;

/**
 * Who may do what with a parcel.
 *
 * @param vmid   a VM
 * @param rights X = 1, W = 2, R = 4
 */
public record AclEntry(int vmid, int rights) {
    public static final int X = 1;
    public static final int W = 2;
    public static final int R = 4;
    static final int WIRE_SIZE = 4;

    /** {@return whether the rights are one of R, RX, RW, RWX} */
    public boolean isLegal() {
        return rights >= R && rights <= (R | W | X);
    }

    static AclEntry read(WireReader reader) {
        AclEntry entry = new AclEntry(reader.u16(), reader.u8());
        reader.skip(1);
        return entry;
    }

    void write(WireWriter writer) {
        writer.u16(vmid).u8(rights).u8(0);
    }
}
