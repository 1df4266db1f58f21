package gunyah.rm.root;

import gunyah.hyp.HypError;
import gunyah.hyp.HypercallPort;
import gunyah.hyp.ObjectType;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;

/**
 * The hypercalls the Resource Manager makes, one method each, by the native convention (Gunyah API document; argument
 * order and numbers of the {@code .hvc} files). Addresses and sizes in bytes; capabilities are ids in the root VM's
 * cspace unless a cspace is named. A refusal is a {@link HypFault}, except where the result says otherwise. A defect
 * that comes out of a call which was done is thrown by the next call instead of that, or by {@link #throwLate}: first
 * the caller writes down what the call did. Belongs to one thread at a time.
 */
public final class Hypercalls {
    private static final Map<ObjectType, Integer> CREATE = new EnumMap<>(Map.of(
            ObjectType.CSPACE, 0x02,
            ObjectType.ADDRSPACE, 0x03,
            ObjectType.MEMEXTENT, 0x04,
            ObjectType.THREAD, 0x05,
            ObjectType.DOORBELL, 0x06,
            ObjectType.MSGQUEUE, 0x07,
            ObjectType.VIC, 0x0a,
            ObjectType.VPM_GROUP, 0x0b,
            ObjectType.VIRTIO_MMIO, 0x48));
    private static final long RES1 = -1;
    /** In the last register, which no call here uses, until a call is done and it is zero like every unused one. */
    private static final long UNDONE = -1;

    /** {@code memextent_donate} types. */
    public enum Donation { TO_CHILD, TO_PARENT, TO_SIBLING, TO_PROTECTED, FROM_PROTECTED }

    /** {@code vcpu_bind_virq} types. */
    public enum VcpuVirq { HALT, RUN_WAKEUP }

    /**
     * Outcome of a message queue call.
     *
     * @param error OK, MSGQUEUE_FULL or MSGQUEUE_EMPTY
     * @param size  bytes received
     * @param more  after a send: not full; after a receive: not empty
     */
    public record QueueResult(HypError error, int size, boolean more) {
    }

    /** What {@code vcpu_run_check} says; {@code error} is OK or BUSY, else the rest is meaningless. */
    public record VcpuCheck(HypError error, long state, long data0, long data1, long data2) {
        /** A vCPU that never again executes an instruction. */
        public boolean hasExited() {
            return error == HypError.OK && state == POWERED_OFF && (data0 & 1) != 0;
        }
    }

    /** {@code vcpu_run} states. */
    public static final int POWERED_OFF = 2;
    public static final int FAULT = 6;
    public static final int PSCI_SYSTEM_RESET = 0x100;

    /** {@code vcpu_configure} options. */
    public static final long VCPU_PINNED = 1;
    public static final long VCPU_CRITICAL = 1L << 8;
    public static final long VCPU_RUN_SCHEDULED = 1L << 9;
    public static final long VCPU_HLOS = 1L << 63;
    /** CPU index of a vCPU that runs by directed yield only. */
    public static final int NO_AFFINITY = 0xffff;

    /** {@code vcpu_poweron} flags. */
    public static final int KEEP_ENTRY = 1;
    public static final int KEEP_CONTEXT = 2;

    /** {@code addrspace_map} flags. */
    public static final int MAP_PARTIAL = 1;
    public static final int MAP_PRIVATE = 1 << 1;
    /** Map attributes: EL1 access in 6:4, EL0 access in 2:0, write-back in 23:16. */
    public static final int MAP_RWX = 0xf_0077;
    public static final int MAP_RW = 0xf_0066;
    /** The same for device memory, nGnRE: registers that one side reads and the other writes, too. */
    public static final int MAP_REGISTERS_R = 0x1_0044;
    public static final int MAP_REGISTERS_RW = 0x1_0066;

    /** {@code memextent_configure} attributes: SPARSE, any memory type, RWX. */
    public static final int EXTENT_SPARSE_RWX = 1 << 16 | 7;
    /** {@code memextent_configure} attributes: BASIC, device memory, RW. */
    private static final int EXTENT_REGISTERS = 1 << 8 | 6;
    /** {@code virtio_mmio_configure} flag: the device type is meant. */
    private static final int VIRTIO_TYPE_VALID = 1 << 6;

    /** {@code addrspace_configure_range} operations. */
    public static final int RANGE_ADD_VMMIO = 0;
    public static final int RANGE_ADD_PRIVATE = 2;

    /** {@code vic_configure} option: no register pages but those attached. */
    public static final int VIC_NO_DEFAULT_ADDRESSES = 1 << 1;
    /** {@code vpm_group_configure} flag: power states are not aggregated. */
    public static final int VPM_NO_AGGREGATION = 1;
    /** {@code memextent_modify} operation: unmap everywhere. */
    public static final int MODIFY_UNMAP_ALL = 0;
    /** {@code memextent_modify} operation with its mandatory no-sync bit: fill with zeros. */
    public static final int MODIFY_ZERO = 1 | 1 << 31;

    private static final int MODIFY_UNLOCK = 1;

    private final HypercallPort port;
    private final long partition;
    private final long cspace;
    private final long[] x = new long[8];
    private RuntimeException late;

    /**
     * @param partition cap of the partition that pays for objects
     * @param cspace    cap of the root VM's own cspace, where new caps go
     */
    public Hypercalls(HypercallPort port, long partition, long cspace) {
        this.port = port;
        this.partition = partition;
        this.cspace = cspace;
    }

    private HypError raw(int number, long... arguments) {
        throwLate();
        for (int i = 0; i < x.length; i++) {
            x[i] = i < arguments.length ? arguments[i] : 0;
        }
        x[x.length - 1] = UNDONE;
        try {
            port.call(number, x);
        } catch (RuntimeException defect) {
            if (x[x.length - 1] == UNDONE || HypError.of(x[0]) != HypError.OK) {
                throw defect;
            }
            late = defect;
        }
        return HypError.of(x[0]);
    }

    /** Throws the defect that came out of the last call, if that was done all the same. */
    public void throwLate() {
        RuntimeException defect = takeLate();
        if (defect != null) {
            throw defect;
        }
    }

    /** {@return that defect, which is not thrown any more, or null} */
    RuntimeException takeLate() {
        RuntimeException defect = late;
        late = null;
        return defect;
    }

    /** Undoes {@link #takeLate}. */
    void putLate(RuntimeException defect) {
        late = defect;
    }

    private void call(String name, int number, long... arguments) {
        HypError error = raw(number, arguments);
        if (error != HypError.OK) {
            throw new HypFault(name, error);
        }
    }

    /** {@return the feature words: api_info, flags0, flags1, flags2} */
    public long[] identify() {
        raw(0x00);
        return new long[] {x[0], x[1], x[2], x[3]};
    }

    /** Makes an object. {@return its master cap, all rights} */
    public long create(ObjectType type) {
        call("partition_create_" + type, CREATE.get(type), partition, cspace);
        return x[1];
    }

    public void activate(long cap) {
        call("object_activate", 0x0c, cap);
    }

    /** Deletes a cap of the root VM's cspace. */
    public void delete(long cap) {
        deleteFrom(cspace, cap);
    }

    public void deleteFrom(long fromCspace, long cap) {
        call("cspace_delete_cap_from", 0x22, fromCspace, cap);
    }

    /** Copies a cap of the root VM into another cspace. {@return its id there} */
    public long copy(long cap, long toCspace, int rights) {
        call("cspace_copy_cap_from", 0x23, cspace, cap, toCspace, rights & 0xffff_ffffL);
        return x[1];
    }

    public void configureCspace(long cap, int maxCaps) {
        call("cspace_configure", 0x25, cap, maxCaps);
    }

    public void attachCspace(long cap, long thread) {
        call("cspace_attach_thread", 0x3e, cap, thread);
    }

    public void bindDoorbell(long doorbell, long vic, int virq) {
        call("doorbell_bind_virq", 0x10, doorbell, vic, virq);
    }

    public void unbindDoorbell(long doorbell) {
        call("doorbell_unbind_virq", 0x11, doorbell);
    }

    /** @param depth messages; @param messageSize bytes */
    public void configureQueue(long queue, int depth, int messageSize) {
        call("msgqueue_configure", 0x21, queue, depth | (long) messageSize << 16);
    }

    public void bindQueueSend(long queue, long vic, int virq) {
        call("msgqueue_bind_send_virq", 0x17, queue, vic, virq);
    }

    public void bindQueueReceive(long queue, long vic, int virq) {
        call("msgqueue_bind_receive_virq", 0x18, queue, vic, virq);
    }

    public void unbindQueueSend(long queue) {
        call("msgqueue_unbind_send_virq", 0x19, queue);
    }

    public void unbindQueueReceive(long queue) {
        call("msgqueue_unbind_receive_virq", 0x1a, queue);
    }

    /** Sends without PUSH what lies at an IPA of the root VM. */
    public QueueResult send(long queue, long ipa, int size) {
        HypError error = raw(0x1b, queue, size, ipa, 0);
        if (error != HypError.OK && error != HypError.MSGQUEUE_FULL) {
            throw new HypFault("msgqueue_send", error);
        }
        return new QueueResult(error, 0, x[1] != 0);
    }

    /** Receives to an IPA of the root VM. */
    public QueueResult receive(long queue, long ipa, int size) {
        HypError error = raw(0x1c, queue, ipa, size);
        if (error != HypError.OK && error != HypError.MSGQUEUE_EMPTY) {
            throw new HypFault("msgqueue_receive", error);
        }
        return new QueueResult(error, (int) x[1], x[2] != 0);
    }

    /** Throws away what waits in a queue. */
    public void flushQueue(long queue) {
        call("msgqueue_flush", 0x1d, queue);
    }

    public void resetDoorbell(long doorbell) {
        call("doorbell_reset", 0x14, doorbell);
    }

    /** Lets a hardware interrupt fire a line of a VIC. */
    public void bindHardware(long hwirq, long vic, int virq) {
        call("hwirq_bind_virq", 0x26, hwirq, vic, virq);
    }

    public void unbindHardware(long hwirq) {
        call("hwirq_unbind_virq", 0x27, hwirq);
    }

    public void configureVic(long vic, int maxVcpus, int maxVirqs, int options) {
        call("vic_configure", 0x28, vic, maxVcpus, maxVirqs, options);
    }

    /** Makes the MPIDR affinity the plain vCPU index. */
    public void setLinearMpidr(long vic) {
        call("vgic_set_mpidr_mapping", 0x67, vic, 0x7fff, 0, 8, 16, 24);
    }

    public void attachVic(long vic, long vcpu, int index) {
        call("vic_attach_vcpu", 0x29, vic, vcpu, index);
    }

    public void configureAddrspace(long addrspace, int vmid) {
        call("addrspace_configure", 0x2e, addrspace, vmid);
    }

    public void attachAddrspace(long addrspace, long thread) {
        call("addrspace_attach_thread", 0x2a, addrspace, thread);
    }

    /** Adds or removes a range of faults that go to the host; {@code operation} is a RANGE constant. */
    public void configureRange(long addrspace, long ipa, long size, int operation) {
        call("addrspace_configure_range", 0x60, addrspace, ipa, size, operation);
    }

    /** Puts a register block of a VIC at an IPA: index 0 the distributor, 1.. the redistributors. */
    public void attachVdevice(long addrspace, long vic, int index, long ipa, long size) {
        call("addrspace_attach_vdevice", 0x62, addrspace, vic, index, ipa, size, 0);
    }

    /** Maps part of a sparse extent; {@code offset} from its base. */
    public void map(long addrspace, long extent, long ipa, int attributes, int flags, long offset, long size) {
        call("addrspace_map", 0x2b, addrspace, extent, ipa, attributes, MAP_PARTIAL | flags, offset, size);
    }

    public void unmap(long addrspace, long extent, long ipa, int flags, long offset, long size) {
        call("addrspace_unmap", 0x2c, addrspace, extent, ipa, MAP_PARTIAL | flags, offset, size);
    }

    /** Unlocks private pages of a guest that will not run again: they can be unmapped, and are zeroed then. */
    public void unlockPages(long addrspace, long ipa, long size) {
        call("addrspace_modify_pages", 0x69, addrspace, ipa, size, MODIFY_UNLOCK);
    }

    /** Configures a child extent that starts at its parent's base. */
    public void deriveExtent(long extent, long parent, long size, int attributes) {
        call("memextent_configure_derive", 0x32, extent, parent, 0, size, attributes);
    }

    /** Configures a child extent of one page for registers; {@code offset} from its parent's base. */
    public void deriveRegisters(long extent, long parent, long offset) {
        call("memextent_configure_derive", 0x32, extent, parent, offset, PhysRange.PAGE, EXTENT_REGISTERS);
    }

    /** Maps a register page; {@code attributes} is MAP_REGISTERS_R or _RW. */
    public void mapRegisters(long addrspace, long extent, long ipa, int attributes) {
        call("addrspace_map", 0x2b, addrspace, extent, ipa, attributes, 0, 0, PhysRange.PAGE);
    }

    public void unmapRegisters(long addrspace, long extent, long ipa) {
        call("addrspace_unmap", 0x2c, addrspace, extent, ipa, 0, 0, PhysRange.PAGE);
    }

    /**
     * Configures a virtio device.
     *
     * @param page   extent of its registers
     * @param queues virtqueues
     * @param type   virtio device type, empty when the backend makes the configuration space
     */
    public void configureVirtio(long device, long page, int queues, Optional<Integer> type) {
        call("virtio_mmio_configure", 0x49, device, page, queues, type.isPresent() ? VIRTIO_TYPE_VALID : 0,
                type.orElse(0));
    }

    /** Binds the line that the backend asserts; the VIC is the frontend's. */
    public void bindVirtioBackend(long device, long vic, int virq) {
        call("virtio_mmio_backend_bind_virq", 0x4a, device, vic, virq);
    }

    public void unbindVirtioBackend(long device) {
        call("virtio_mmio_backend_unbind_virq", 0x4b, device);
    }

    /** Binds the line that the frontend's stores assert; the VIC is the backend's. */
    public void bindVirtioFrontend(long device, long vic, int virq) {
        call("virtio_mmio_frontend_bind_virq", 0x4c, device, vic, virq);
    }

    public void unbindVirtioFrontend(long device) {
        call("virtio_mmio_frontend_unbind_virq", 0x4d, device);
    }

    public void donate(Donation type, long from, long to, long offset, long size) {
        call("memextent_donate", 0x61, type.ordinal(), from, to, offset, size);
    }

    /** Applies a MODIFY operation to part of an extent. */
    public void modify(long extent, int operation, long offset, long size) {
        call("memextent_modify", 0x30, extent, operation & 0xffff_ffffL, offset, size);
    }

    public void configureVcpu(long vcpu, long options) {
        call("vcpu_configure", 0x34, vcpu, options);
    }

    public void setAffinity(long vcpu, int cpu) {
        call("vcpu_set_affinity", 0x3d, vcpu, cpu, RES1);
    }

    public void setPriority(long vcpu, int priority) {
        call("vcpu_set_priority", 0x46, vcpu, priority);
    }

    public void setTimeslice(long vcpu, long nanoseconds) {
        call("vcpu_set_timeslice", 0x47, vcpu, nanoseconds);
    }

    public void bindVcpuVirq(long vcpu, long vic, int virq, VcpuVirq type) {
        call("vcpu_bind_virq", 0x5c, vcpu, vic, virq, type.ordinal());
    }

    public void unbindVcpuVirq(long vcpu, VcpuVirq type) {
        call("vcpu_unbind_virq", 0x5d, vcpu, type.ordinal());
    }

    public void writeRegister(long vcpu, int set, int index, long value) {
        call("vcpu_register_write", 0x64, vcpu, set, index, value);
    }

    public void powerOn(long vcpu, long entry, long context, int flags) {
        call("vcpu_poweron", 0x38, vcpu, entry, context, flags);
    }

    /** {@return OK, or OBJECT_STATE when the vCPU never ran} */
    public HypError kill(long vcpu) {
        return raw(0x3a, vcpu);
    }

    public VcpuCheck runCheck(long vcpu) {
        HypError error = raw(0x68, vcpu);
        return new VcpuCheck(error, x[1], x[2], x[3], x[4]);
    }

    public void configureVpmGroup(long group, int flags) {
        call("vpm_group_configure", 0x66, group, flags);
    }

    public void attachVpmGroup(long group, long vcpu, int index) {
        call("vpm_group_attach_vcpu", 0x3c, group, vcpu, index);
    }
}
