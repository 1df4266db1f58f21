package gunyah.vmm.driver;

import java.util.List;

/**
 * Qualcomm's platform (v17 22/35): the secure world keeps its own list of owners, which the host has to change around
 * every transfer. VMs beyond its static ones are known to it as one, the VM that the Resource Manager manages. Thread
 * safe when the assigner is.
 */
public final class QcomHooks implements PlatformHooks {
    /** VMIDs of the secure world. */
    static final int HLOS = 3;
    static final int RM_MANAGED = 0x3A;
    static final int LAST_STATIC = 0x3F;
    private static final int READ_WRITE_EXECUTE = 7;
    private static final int EXECUTE = 1;

    /** A new owner and its access: read 4, write 2, execute 1. */
    public record Owner(int vmid, int access) {
    }

    /** The firmware call (qcom_scm_assign_mem). */
    @FunctionalInterface
    public interface Assigner {
        /** Takes the range from {@code from}, all of them, and gives it to {@code to}. */
        Errno assign(long address, long size, List<Integer> from, List<Owner> to);
    }

    private final Assigner firmware;

    public QcomHooks(Assigner firmware) {
        this.firmware = firmware;
    }

    private static int known(int vmid) {
        return vmid <= LAST_STATIC ? vmid : RM_MANAGED;
    }

    /** What is never executed is shared: the host stays an owner. */
    private static boolean isShared(int access) {
        return (access & EXECUTE) == 0;
    }

    @Override
    public Errno assign(int vmid, int access, long address, long size) {
        Owner guest = new Owner(known(vmid), access);
        List<Owner> owners = isShared(access) ? List.of(guest, new Owner(HLOS, READ_WRITE_EXECUTE)) : List.of(guest);
        return firmware.assign(address, size, List.of(HLOS), owners);
    }

    @Override
    public Errno release(int vmid, int access, long address, long size) {
        List<Integer> owners = isShared(access) ? List.of(known(vmid), HLOS) : List.of(known(vmid));
        return firmware.assign(address, size, owners, List.of(new Owner(HLOS, READ_WRITE_EXECUTE)));
    }
}
