package gunyah.rm.rpc;

/**
 * VM_SET_BOOT_CONTEXT: one register of the boot vCPU.
 *
 * @param vmid  target
 * @param set   {@link #SET_X}, {@link #SET_PC} or {@link #SET_SP_EL}
 * @param index register in its set
 * @param value what it starts with
 */
public record BootContext(int vmid, int set, int index, long value) implements Payload {
    public static final int SET_X = 0;
    public static final int SET_PC = 1;
    public static final int SET_SP_EL = 2;

    public static BootContext decode(byte[] payload) {
        WireReader reader = WireReader.exactly(payload, 16);
        return new BootContext(reader.u16(), reader.u8(), reader.u8(), reader.skip(4).u64());
    }

    @Override
    public byte[] encode() {
        return new WireWriter().u16(vmid).u8(set).u8(index).u32(0).u64(value).toBytes();
    }
}
