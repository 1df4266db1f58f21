package gunyah.hyp.abi;

import static gunyah.hyp.ObjectType.ADDRSPACE;
import static gunyah.hyp.ObjectType.CSPACE;
import static gunyah.hyp.ObjectType.DOORBELL;
import static gunyah.hyp.ObjectType.HWIRQ;
import static gunyah.hyp.ObjectType.MEMEXTENT;
import static gunyah.hyp.ObjectType.MSGQUEUE;
import static gunyah.hyp.ObjectType.PARTITION;
import static gunyah.hyp.ObjectType.THREAD;
import static gunyah.hyp.ObjectType.VIC;
import static gunyah.hyp.ObjectType.VIRTIO_MMIO;
import static gunyah.hyp.ObjectType.VPM_GROUP;

import gunyah.hyp.ObjectType;
import java.util.EnumMap;
import java.util.Map;

/** The objects that a script works with and makes itself: one ACTIVE and one INIT of each type that can be made. */
final class Objects {
    static final long ALL = 0xFFFF_FFFFL;
    static final long SPARSE_RWX = 0x1_0007;
    static final long BASIC_RWX = 7;
    static final long MAP_RWX = 0xF_0077;
    /** Flag of map and unmap: offset and size count. */
    static final long PARTIAL = 1;
    static final long PROXY_SCHEDULED = 1 << 9;
    /** Offset of the page that the virtio device has. */
    private static final long VIRTIO_PAGE = 0xF0 * Arena.PAGE;
    static final Map<ObjectType, Integer> CREATE = new EnumMap<>(Map.of(CSPACE, 0x02, ADDRSPACE, 0x03,
            MEMEXTENT, 0x04, THREAD, 0x05, DOORBELL, 0x06, MSGQUEUE, 0x07, VIC, 0x0A, VPM_GROUP, 0x0B,
            VIRTIO_MMIO, 0x48));

    private final Script script;
    private final Arena arena;
    private final Map<ObjectType, Long> active = new EnumMap<>(ObjectType.class);
    private final Map<ObjectType, Long> init = new EnumMap<>(ObjectType.class);
    private final long revoked;

    Objects(Script script, Arena arena) {
        this.script = script;
        this.arena = arena;
        script.section("objects");
        CREATE.keySet().forEach(type -> init.put(type, create(type)));
        active.put(PARTITION, arena.partition());
        active.put(HWIRQ, arena.hwirq());
        active.put(CSPACE, newCspace(64));
        active.put(ADDRSPACE, newAddrspace(0));
        active.put(MEMEXTENT, newExtent(arena.extent(), 0, Arena.PAGE, SPARSE_RWX));
        active.put(VIC, newVic(4));
        active.put(VPM_GROUP, activated(create(VPM_GROUP)));
        active.put(DOORBELL, activated(create(DOORBELL)));
        active.put(MSGQUEUE, newQueue(4, 16));
        active.put(VIRTIO_MMIO, newVirtio(newExtent(arena.extent(), VIRTIO_PAGE, Arena.PAGE, BASIC_RWX), 1, 0, 0));
        long thread = newThread(PROXY_SCHEDULED, active(CSPACE), active(ADDRSPACE), active(VIC), 0);
        script.ok(0x0C, thread);
        active.put(THREAD, thread);
        long master = create(DOORBELL);
        revoked = copy(master, ALL);
        script.ok(0x59, arena.cspace(), master);
    }

    /** {@return the INIT object of a type} */
    long init(ObjectType type) {
        return init.getOrDefault(type, 0L);
    }

    /** {@return the ACTIVE object of a type} */
    long active(ObjectType type) {
        return active.getOrDefault(type, 0L);
    }

    boolean hasActive(ObjectType type) {
        return active.containsKey(type);
    }

    boolean hasInit(ObjectType type) {
        return init.containsKey(type);
    }

    /** {@return a revoked capability} */
    long revoked() {
        return revoked;
    }

    long create(ObjectType type) {
        return script.ok(CREATE.get(type), arena.partition(), arena.cspace()).saved();
    }

    long activated(long cap) {
        script.ok(0x0C, cap);
        return cap;
    }

    /** {@return a copy with some of the rights} */
    long copy(long cap, long rights) {
        return script.ok(0x23, arena.cspace(), cap, arena.cspace(), rights).saved();
    }

    void delete(long cap) {
        script.ok(0x22, arena.cspace(), cap);
    }

    long newCspace(int maxCaps) {
        long cspace = create(CSPACE);
        script.ok(0x25, cspace, maxCaps);
        return activated(cspace);
    }

    /** @param number of a VMID of the arena */
    long newAddrspace(int number) {
        long addrspace = create(ADDRSPACE);
        script.ok(0x2E, addrspace, arena.vmid(number));
        return activated(addrspace);
    }

    long newExtent(long parent, long offset, long size, long attributes) {
        return activated(derived(parent, offset, size, attributes));
    }

    /** {@return an extent in INIT} */
    long derived(long parent, long offset, long size, long attributes) {
        long extent = create(MEMEXTENT);
        script.ok(0x32, extent, parent, offset, size, attributes);
        return extent;
    }

    long newVic(int vcpus) {
        long vic = create(VIC);
        script.ok(0x28, vic, vcpus, 64, 2, 0);
        script.ok(0x67, vic, 0x7FFF, 0, 8, 16, 24, 0);
        return activated(vic);
    }

    long newQueue(int depth, int size) {
        long queue = create(MSGQUEUE);
        script.ok(0x21, queue, depth | (long) size << 16);
        return activated(queue);
    }

    /** {@return a virtio device with its registers in that extent} */
    long newVirtio(long page, int queues, long flags, long type) {
        long device = create(VIRTIO_MMIO);
        script.ok(0x49, device, page, queues, flags, type);
        return activated(device);
    }

    /** {@return a vCPU in INIT with all it needs} */
    long newThread(long options, long cspace, long addrspace, long vic, int index) {
        long thread = create(THREAD);
        script.ok(0x34, thread, options);
        script.ok(0x3E, cspace, thread);
        script.ok(0x2A, addrspace, thread);
        script.ok(0x29, vic, thread, index);
        return thread;
    }
}
