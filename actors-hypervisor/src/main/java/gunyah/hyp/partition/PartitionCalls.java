package gunyah.hyp.partition;

import static gunyah.hyp.HypercallArgument.RES0;

import gunyah.hyp.HypError;
import gunyah.hyp.HypercallArgument;
import gunyah.hyp.HypercallRow;
import gunyah.hyp.KernelObject;
import gunyah.hyp.ObjectCalls;
import gunyah.hyp.ObjectFactory;
import gunyah.hyp.ObjectType;
import gunyah.hyp.Rights;
import gunyah.hyp.cspace.CSpace;
import java.util.List;

/**
 * The partition_create calls (Gunyah hyp/interfaces/partition): a new object in INIT and its master capability, all
 * rights, in a cspace.
 */
public final class PartitionCalls {
    private static final HypercallArgument PARTITION =
            HypercallArgument.active(ObjectType.PARTITION, Rights.PARTITION_OBJECT_CREATE);
    private static final HypercallArgument CSPACE =
            HypercallArgument.active(ObjectType.CSPACE, Rights.CSPACE_CAP_CREATE);

    private final ObjectFactory factory;

    public PartitionCalls(ObjectFactory factory) {
        this.factory = factory;
    }

    /** {@return the rows} */
    public List<HypercallRow> rows() {
        return List.of(
                HypercallRow.of(0x01, "partition_create_partition", 1, ObjectCalls::unimplemented,
                        PARTITION, CSPACE, RES0)
                        .inputs("partition", "cspace").outputs("new_cap")
                        .errors(HypError.UNIMPLEMENTED).failingWith(CSpace.INVALID),
                create(0x02, "partition_create_cspace", ObjectType.CSPACE),
                create(0x03, "partition_create_addrspace", ObjectType.ADDRSPACE),
                create(0x04, "partition_create_memextent", ObjectType.MEMEXTENT),
                create(0x05, "partition_create_thread", ObjectType.THREAD),
                create(0x06, "partition_create_doorbell", ObjectType.DOORBELL),
                create(0x07, "partition_create_msgqueue", ObjectType.MSGQUEUE),
                create(0x0A, "partition_create_vic", ObjectType.VIC),
                create(0x0B, "partition_create_vpm_group", ObjectType.VPM_GROUP),
                create(0x48, "partition_create_virtio_mmio", ObjectType.VIRTIO_MMIO));
    }

    private HypercallRow create(int number, String name, ObjectType type) {
        return HypercallRow.of(number, name, 1, (caller, partition, cspace, x) ->
                create(type, (Partition) partition, (CSpace) cspace, x), PARTITION, CSPACE, RES0)
                .failingWith(CSpace.INVALID)
                .inputs("partition", "cspace").outputs("new_cap").errors(HypError.NOMEM, HypError.CSPACE_FULL);
    }

    private HypError create(ObjectType type, Partition partition, CSpace cspace, long[] x) {
        KernelObject object = factory.create(type, partition);
        if (object == null) {
            return HypError.NOMEM;
        }
        // our own reference: when the cspace is full, giving it back destroys the object
        object.retain();
        try {
            long cap = cspace.insertMaster(object);
            x[1] = cap;
            return cap == CSpace.INVALID ? HypError.CSPACE_FULL : HypError.OK;
        } finally {
            object.release();
        }
    }
}
