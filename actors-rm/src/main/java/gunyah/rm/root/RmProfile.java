package gunyah.rm.root;

import gunyah.rm.root.VirqPool.Range;
import java.util.List;

/**
 * Limits and choices of a Resource Manager.
 *
 * @param firstVmid          first VMID handed out by ALLOCATE(0)
 * @param endVmid            first VMID beyond them; 255 is never handed out
 * @param hostVirqs          lines of the primary VM's VIC
 * @param guestVirqs         lines of a guest's VIC, besides those its device tree fixes
 * @param rootVirqs          lines of the root VM's own VIC
 * @param parcelsPerOwner    memory parcels a VM may own at once
 * @param regionsPerParcel   physically contiguous pieces of a parcel
 * @param maxVcpus           vCPUs of a guest
 * @param notificationLimit  notifications that wait for one client before old ones are dropped (never exits and resets)
 * @param pendingLimit       messages that wait for one client before its requests are left in their queue
 * @param hostCaps           capabilities the primary VM may hold
 * @param statusOfAll        whether every VM may set its status, or only those of a static VMID
 */
public record RmProfile(int firstVmid, int endVmid, List<Range> hostVirqs, List<Range> guestVirqs,
        List<Range> rootVirqs, int parcelsPerOwner, int regionsPerParcel, int maxVcpus, int notificationLimit,
        int pendingLimit, int hostCaps, boolean statusOfAll) {
    private static final Range HIGH_SPIS = new Range(960, VirqPool.SPI_END);
    private static final Range SPIS = new Range(VirqPool.SPI_BASE, VirqPool.SPI_END);
    private static final Range ESPIS = new Range(VirqPool.ESPI_BASE, VirqPool.ESPI_END);

    public RmProfile {
        hostVirqs = List.copyOf(hostVirqs);
        guestVirqs = List.copyOf(guestVirqs);
        rootVirqs = List.copyOf(rootVirqs);
    }

    /** {@return the profile for many VMs} */
    public static RmProfile large() {
        return new RmProfile(128, 0xff00, List.of(SPIS, ESPIS), List.of(HIGH_SPIS), List.of(SPIS, ESPIS), 4096,
                Integer.MAX_VALUE, 64, 256, 1024, 16384, true);
    }

    /** {@return the numbers of the public Resource Manager: 63 VMs, 60 lines per VM, 64 parcels} */
    public static RmProfile strict() {
        return new RmProfile(128, 191, List.of(HIGH_SPIS), List.of(HIGH_SPIS), List.of(new Range(32, 512)), 64,
                1 << 20, 8, 256, 64, 1024, false);
    }
}
