package gunyah.hyp;

import gunyah.hyp.addrspace.Addrspace;
import gunyah.hyp.cspace.CSpace;
import gunyah.hyp.hwirq.HwIrq;
import gunyah.hyp.memextent.MemExtent;
import gunyah.hyp.memextent.MemoryTree;
import gunyah.hyp.partition.Partition;
import gunyah.hyp.vcpu.Vcpu;
import gunyah.hyp.vcpu.VcpuCalls;
import gunyah.hyp.vic.Vic;
import gunyah.memory.PhysicalMemory;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Makes the root VM at boot (Gunyah hyp/vm/rootvm): its partition, cspace, address space, VIC, vCPU and the extents of
 * all memory, with a capability to each. What a hypercall can do is done by hypercall, as the root VM.
 */
final class RootVmBoot {
    /** VMID of the root VM. */
    static final int VMID = 255;
    /** First physical address of RAM; devices are below. */
    static final long RAM_BASE = 0x4000_0000L;

    private static final long RM_SIZE = 8L << 20;
    private static final int CSPACE_CAPS = 16_384;
    private static final int SPIS = Vic.MAX_SPIS + Vic.MAX_EXTENDED_SPIS;
    private static final long SPARSE_RWX = 1 << 16 | 7;
    private static final long SPARSE_DEVICE_RW = 1 << 16 | 1 << 8 | 6;
    private static final long MAP_RW = 0xF_0066;
    private static final long MAP_PARTIAL = 1;
    private static final int ADDRSPACE_MAP = 0x2B;

    private final ObjectFactory factory;
    private final HypercallTable table;
    private final Smccc smccc;
    private final MemoryTree tree;
    private final PhysicalMemory memory;
    private final Partition partition;
    private CSpace cspace;

    RootVmBoot(ObjectFactory factory, HypercallTable table, Smccc smccc, Partition partition, MemoryTree tree) {
        this.factory = factory;
        this.table = table;
        this.smccc = smccc;
        this.tree = tree;
        this.memory = tree.memory();
        this.partition = partition;
    }

    /** Makes the objects and starts the program, which gets the hardware interrupts. */
    void boot(RootVm program, int cpuCount, List<HwIrq> interrupts, Board board) {
        cspace = (CSpace) factory.create(ObjectType.CSPACE, partition);
        require("cspace", cspace.configure(CSPACE_CAPS));
        long cspaceCap = activated(cspace);
        long partitionCap = activated(partition);

        Addrspace addrspace = (Addrspace) factory.create(ObjectType.ADDRSPACE, partition);
        require("addrspace", addrspace.configure(VMID));
        long addrspaceCap = activated(addrspace);

        Vic vic = (Vic) factory.create(ObjectType.VIC, partition);
        require("vic", vic.configure(1, SPIS, 0, 0));
        long vicCap = activated(vic);

        Vcpu vcpu = (Vcpu) factory.create(ObjectType.THREAD, partition);
        require("vcpu cspace", vcpu.attachCspace(cspace));
        require("addrspace thread", addrspace.attachThread());
        require("vcpu addrspace", vcpu.attachAddrspace(addrspace));
        require("vcpu", VcpuCalls.configureRoot(vcpu, vic));
        long vcpuCap = activated(vcpu);

        long ramSize = memory.sizeBytes() - RAM_BASE;
        long rmBase = RAM_BASE + ramSize - RM_SIZE;
        MemExtent memextent = (MemExtent) factory.create(ObjectType.MEMEXTENT, partition);
        require("memextent", memextent.configure(0, memory.sizeBytes(), SPARSE_RWX));
        long memextentCap = activated(memextent);
        if (!memextent.adopt(RAM_BASE, ramSize, IdSource.HYPERVISOR)) {
            throw new IllegalStateException("root VM: RAM has an owner");
        }
        // A device extent takes its frames from the partition when it is activated.
        tree.owners().move(0, RAM_BASE, IdSource.HYPERVISOR, partition.id());
        MemExtent devices = (MemExtent) factory.create(ObjectType.MEMEXTENT, partition);
        require("device extent", devices.configure(0, RAM_BASE, SPARSE_DEVICE_RW));
        long deviceCap = activated(devices);
        Map<Integer, Long> hwirqCaps = new HashMap<>();
        interrupts.forEach(hwirq -> hwirqCaps.put(hwirq.intid(), activated(hwirq)));
        PortOfVm port = new PortOfVm(table, smccc, cspace, addrspace, vic::deliverTo);
        long[] x = {addrspaceCap, memextentCap, rmBase, MAP_RW, MAP_PARTIAL, rmBase, RM_SIZE, 0};
        port.call(ADDRSPACE_MAP, x);
        require("addrspace_map", HypError.of(x[0]));

        Board.Loaded loaded = board.load(memory, RAM_BASE, rmBase - RAM_BASE);
        program.boot(port, new RootVmEnv(partitionCap, cspaceCap, addrspaceCap, vcpuCap, vicCap, memextentCap,
                deviceCap, rmBase, RM_SIZE, RAM_BASE, rmBase - RAM_BASE, loaded.entry(), loaded.deviceTree(),
                cpuCount, hwirqCaps));
    }

    private long activated(KernelObject object) {
        long cap = cspace.insertMaster(object);
        require(object.type().toString(), object.activate());
        return cap;
    }

    private static void require(String what, HypError error) {
        if (error != HypError.OK) {
            throw new IllegalStateException("root VM: " + what + ": " + error);
        }
    }
}
