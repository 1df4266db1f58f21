package gunyah.rm.rpc;

/**
 * Memory type a VM must map a parcel with.
 *
 * @param attribute {@link #NORMAL}, {@link #DEVICE}, {@link #UNCACHED} or {@link #CACHED}
 * @param vmid      a VM of the ACL
 */
public record MemAttribute(int attribute, int vmid) {
    public static final int NORMAL = 0;
    public static final int DEVICE = 1;
    public static final int UNCACHED = 2;
    public static final int CACHED = 3;
    static final int WIRE_SIZE = 4;

    static MemAttribute read(WireReader reader) {
        return new MemAttribute(reader.u16(), reader.u16());
    }

    void write(WireWriter writer) {
        writer.u16(attribute).u16(vmid);
    }
}
