package gunyah.rm.rpc;

/**
 * VM_EXITED notification.
 *
 * @param vmid   whose exit
 * @param type   {@link ExitType} ordinal
 * @param reason reason bytes, 4 or 16 of them: flags in bits 15:0 of word 0, code in 31:16
 */
public record VmExited(int vmid, int type, byte[] reason) implements Payload {
    /** Flag: the VM asks to be started again. */
    public static final int RESTART = 1;
    /** Flag: SYSTEM_RESET2 came by the 64-bit call. */
    public static final int RESET2_SMC64 = 1 << 15;

    /** An exit with one reason word. */
    public static VmExited of(int vmid, ExitType type, int flags, int code) {
        return new VmExited(vmid, type.ordinal(), new WireWriter().u16(flags).u16(code).toBytes());
    }

    /** A SYSTEM_RESET2 with its arguments. */
    public static VmExited ofReset2(int vmid, int flags, int code, int resetType, long cookie) {
        return new VmExited(vmid, ExitType.PSCI_SYSTEM_RESET2.ordinal(),
                new WireWriter().u16(flags).u16(code).u32(resetType).u64(cookie).toBytes());
    }

    /** Reads the notification. The reason is cut to what is there, as a client must expect. */
    public static VmExited decode(byte[] payload) {
        WireReader reader = WireReader.atLeast(payload, 8);
        int vmid = reader.u16();
        int type = reader.u16();
        long size = reader.u32() & 0xffff_ffffL;
        return new VmExited(vmid, type, reader.bytes((int) Math.min(size, reader.remaining())));
    }

    @Override
    public byte[] encode() {
        return new WireWriter().u16(vmid).u16(type).u32(reason.length).bytes(reason).toBytes();
    }
}
