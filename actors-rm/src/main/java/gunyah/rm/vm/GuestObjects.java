package gunyah.rm.vm;

import gunyah.rm.dt.GuestConfig.RpcDevice;
import gunyah.rm.link.QueuePair;
import gunyah.rm.rpc.HypResource;
import gunyah.rm.rpc.MemRange;
import java.util.List;
import java.util.Optional;

/**
 * What INIT made for a guest, as capability ids in the root VM's cspace unless said otherwise.
 *
 * @param addrspace     its address space
 * @param privateExtent memory only the guest has; child of its owner's extent
 * @param privateRanges its IPAs that can hold private pages
 * @param vcpus         its vCPUs by index
 * @param rpc           link to the Resource Manager
 * @param resources     vCPUs and memory as the owner is told
 */
record GuestObjects(long addrspace, long privateExtent, List<MemRange> privateRanges, List<GuestVcpu> vcpus,
        Optional<Rpc> rpc, List<HypResource> resources) {

    /**
     * One vCPU.
     *
     * @param index    in its VM
     * @param cap      root VM's cap
     * @param guestCap the guest's own cap, or -1 when PSCI does its work
     * @param haltVirq root VM's line
     * @param boot     whether START powers it on
     */
    record GuestVcpu(int index, long cap, long guestCap, int haltVirq, boolean boot) {
    }

    /** The guest's link. */
    record Rpc(RpcDevice device, QueuePair queues) {
    }
}
