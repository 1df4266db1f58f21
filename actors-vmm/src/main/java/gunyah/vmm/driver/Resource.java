package gunyah.vmm.driver;

import gunyah.rm.rpc.HypResource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A hypervisor resource of a VM as the driver keeps it (v17 11/35).
 *
 * @param type  number of {@link gunyah.rm.rpc.ResourceType}
 * @param label from RM
 * @param cap   capability in the host's cspace
 * @param intid host interrupt, 0 = none
 */
record Resource(int type, int label, long cap, int intid) {
    private static final Logger LOG = LoggerFactory.getLogger(Resource.class);

    /** An interrupt that is no shared one is dropped, not the resource, so that its user can say what is missing. */
    static Resource of(HypResource entry) {
        int intid = entry.virq();
        if (intid != 0 && !InterruptTable.isShared(intid)) {
            LOG.warn("resource type {} label {} has the illegal interrupt {}", entry.type(), entry.label(),
                    Integer.toUnsignedString(intid));
            intid = 0;
        }
        return new Resource(entry.type(), entry.label(), entry.capId(), intid);
    }
}
