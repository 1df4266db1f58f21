package gunyah.vmm.driver;

import gunyah.rm.rpc.RmFault;
import gunyah.rm.rpc.WireReader;

/**
 * Why a VM stopped, as the VM_EXITED notification tells it.
 *
 * @param type       raw exit type, {@link Uapi}
 * @param reasonSize bytes of reason RM sent
 * @param reason     the first eight of them, little endian: flags in bits 15:0, exit code in bits 31:16
 */
public record ExitInfo(int type, int reasonSize, long reason) {
    static final ExitInfo NONE = new ExitInfo(0, 0, 0);

    /** A VM_EXITED notification: whose, and why. */
    record Notification(int vmid, ExitInfo info) {
        /** @throws RmFault when the payload is too short */
        static Notification decode(byte[] payload) {
            WireReader reader = WireReader.atLeast(payload, 8);
            int vmid = reader.u16();
            int type = reader.u16();
            int size = reader.u32();
            byte[] bytes = reader.bytes(Math.clamp(size & 0xffff_ffffL, 0, Math.min(8, reader.remaining())));
            long reason = 0;
            for (int i = bytes.length - 1; i >= 0; i--) {
                reason = reason << 8 | bytes[i] & 0xff;
            }
            return new Notification(vmid, new ExitInfo(type, size, reason));
        }
    }
}
