package gunyah.hyp;

import gunyah.hyp.addrspace.AddrspaceCalls;
import gunyah.hyp.cspace.CSpaceCalls;
import gunyah.hyp.doorbell.DoorbellCalls;
import gunyah.hyp.memextent.MappingCalls;
import gunyah.hyp.memextent.MemExtentCalls;
import gunyah.hyp.memextent.MemoryTree;
import gunyah.hyp.msgqueue.MsgQueueCalls;
import gunyah.hyp.partition.PartitionCalls;
import java.util.List;

/** The hypercall rows of the passive objects, one group per package. */
public final class CoreRows {
    private CoreRows() {
    }

    /** {@return the groups, to be joined with those of vCPUs, VICs and VPM groups} */
    public static List<List<HypercallRow>> groups(ObjectFactory factory, MemoryTree tree, IdentifyCalls identify) {
        return List.of(identify.rows(), ObjectCalls.rows(), new PartitionCalls(factory).rows(), CSpaceCalls.rows(),
                DoorbellCalls.rows(), MsgQueueCalls.rows(), AddrspaceCalls.rows(), new MappingCalls(tree).rows(),
                new MemExtentCalls(tree).rows());
    }
}
