package gunyah.rm.rpc;

/**
 * VM_STATUS notification.
 *
 * @param vmid      whose status
 * @param state     {@link VmState#value}
 * @param osState   0 none, 1 early boot, 2 boot, 3 init, 4 run, 5 shutdown, 6 halted, 7 crashed
 * @param appStatus 16 bits of the VM's own
 */
public record VmStatus(int vmid, int state, int osState, int appStatus) implements Payload {
    /** Reads the notification; bytes after its eight are ignored. */
    public static VmStatus decode(byte[] payload) {
        WireReader reader = WireReader.atLeast(payload, 8);
        return new VmStatus(reader.u16(), reader.skip(2).u8(), reader.u8(), reader.u16());
    }

    @Override
    public byte[] encode() {
        return new WireWriter().u16(vmid).u16(0).u8(state).u8(osState).u16(appStatus).toBytes();
    }
}
