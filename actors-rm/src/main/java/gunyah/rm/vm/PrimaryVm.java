package gunyah.rm.vm;

import gunyah.config.fdt.Fdt;
import gunyah.hyp.ObjectType;
import gunyah.hyp.Rights;
import gunyah.hyp.RootVmEnv;
import gunyah.rm.dt.HostTree;
import gunyah.rm.link.QueuePair;
import gunyah.rm.link.RpcLink;
import gunyah.rm.memparcel.IpaSpace;
import gunyah.rm.memparcel.OwnedMemory;
import gunyah.rm.memparcel.ParcelVm.ParcelSpace;
import gunyah.rm.memparcel.Region;
import gunyah.rm.root.HypFault;
import gunyah.rm.root.Hypercalls;
import gunyah.rm.root.Hypercalls.Donation;
import gunyah.rm.root.Ledger.Stage;
import gunyah.rm.root.PhysRange;
import gunyah.rm.root.Root;
import gunyah.rm.root.VirqPool;
import gunyah.rm.root.VirqPool.Range;
import gunyah.rm.rpc.Fragmenter;
import gunyah.rm.rpc.VmState;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Makes and starts the primary VM at boot (hlos_vm.c): one pinned vCPU per physical CPU, its RAM mapped 1:1, its device
 * tree, its link. What its vCPUs execute is none of the Resource Manager's business: a kernel that a boot loader put
 * there gets its own device tree completed. Its state becomes RUNNING without
 * a notification.
 */
public final class PrimaryVm {
    private static final int PRIORITY = 32;
    private static final long TIMESLICE_NS = 5_000_000;
    private static final int QUEUE_DEPTH = 8;
    private static final int SPI_COUNT = VirqPool.SPI_END - VirqPool.SPI_BASE;
    private static final int ESPI_COUNT = VirqPool.ESPI_END - VirqPool.ESPI_BASE;
    private static final int DTB_ROOM = 0x1_0000;
    private static final long IPA_END = 1L << 36;
    /** Device memory above the interrupt controller. */
    private static final long DEVICES = 0x0a00_0000L;
    private static final long DEVICES_SIZE = 0x0600_0000L;

    private final Root root;
    private final Hypercalls hypercalls;
    private final RootVmEnv env;
    private final Vm vm;
    private final Optional<Fdt> loadedTree;
    private final List<Long> vcpus = new ArrayList<>();

    private PrimaryVm(Root root, VmTable vms) {
        this.root = root;
        this.hypercalls = root.hypercalls();
        this.env = root.env();
        this.loadedTree = loadedTree();
        vms.add(Vm.RM, Vm.RM, VmState.RUNNING);
        this.vm = vms.add(Vm.HLOS, Vm.RM, VmState.RUNNING);
    }

    /** Makes the primary VM. {@return how to start it} Nothing of it runs before that. */
    public static PrimaryVm create(Root root, VmTable vms) {
        PrimaryVm primary = new PrimaryVm(root, vms);
        primary.build();
        return primary;
    }

    public Vm vm() {
        return vm;
    }

    private void build() {
        vm.cspace = vm.ledger.create(Stage.OBJECTS, ObjectType.CSPACE);
        hypercalls.configureCspace(vm.cspace, root.profile().hostCaps());
        hypercalls.activate(vm.cspace);
        long addrspace = vm.ledger.create(Stage.OBJECTS, ObjectType.ADDRSPACE);
        hypercalls.configureAddrspace(addrspace, Vm.HLOS);
        hypercalls.activate(addrspace);
        vm.vic = vm.ledger.create(Stage.OBJECTS, ObjectType.VIC);
        configureVic();
        hypercalls.activate(vm.vic);
        long group = vm.ledger.create(Stage.OBJECTS, ObjectType.VPM_GROUP);
        hypercalls.configureVpmGroup(group, 0);
        hypercalls.activate(group);
        long extent = vm.ledger.create(Stage.OBJECTS, ObjectType.MEMEXTENT);
        hypercalls.deriveExtent(extent, env.memextentCap(), root.end(), Hypercalls.EXTENT_SPARSE_RWX);
        hypercalls.activate(extent);
        vm.hostExtentCap = vm.ledger.copy(Stage.OBJECTS, extent, vm.cspace,
                Rights.MEMEXTENT_MAP | Rights.MEMEXTENT_DONATE | Rights.MEMEXTENT_PROTECTED_HOST);
        OwnedMemory memory = new OwnedMemory(extent, addrspace, true);
        memory.add(new Region(env.hlosBase(), env.hlosSize(), env.hlosBase()));
        vm.memory = Optional.of(memory);
        vm.ioMemory = Optional.of(ioMemory(addrspace));
        vm.space = Optional.of(new ParcelSpace(addrspace, new IpaSpace(IPA_END), true));
        vm.space.get().free().take(env.hlosBase(), env.hlosSize());
        vm.console = Optional.of(new Console());
        for (int cpu = 0; cpu < env.cpuCount(); cpu++) {
            vcpus.add(vcpu(cpu, addrspace, group));
        }
        attachGic(addrspace);
        vm.rootVcpuCap = vm.ledger.copy(Stage.OBJECTS, env.vcpuCap(), vm.cspace, Rights.THREAD_AFFINITY);
        QueuePair queues = QueuePair.create(root, vm.ledger, new QueuePair.Client(vm.cspace, vm.vic, vm.virqs),
                QUEUE_DEPTH, Fragmenter.PACKET_SIZE, 0, 0);
        vm.link = Optional.of(new RpcLink(Vm.HLOS, queues, root));
        writeTree(queues);
        hypercalls.donate(Donation.TO_CHILD, env.memextentCap(), extent, env.hlosBase(), env.hlosSize());
        hypercalls.map(addrspace, extent, env.hlosBase(), Hypercalls.MAP_RWX, 0, env.hlosBase(), env.hlosSize());
    }

    // Device memory is its to lend, but not mapped: there is no device behind any of it. It becomes part of the root
    // VM's memory first, because a device extent takes all of its range when it is made.
    private OwnedMemory ioMemory(long addrspace) {
        hypercalls.donate(Donation.TO_PARENT, env.deviceExtentCap(), env.partitionCap(), DEVICES, DEVICES_SIZE);
        hypercalls.donate(Donation.TO_CHILD, env.partitionCap(), env.memextentCap(), DEVICES, DEVICES_SIZE);
        long extent = vm.ledger.create(Stage.OBJECTS, ObjectType.MEMEXTENT);
        hypercalls.deriveExtent(extent, env.memextentCap(), root.end(), Hypercalls.EXTENT_SPARSE_RWX);
        hypercalls.activate(extent);
        hypercalls.donate(Donation.TO_CHILD, env.memextentCap(), extent, DEVICES, DEVICES_SIZE);
        OwnedMemory devices = new OwnedMemory(extent, addrspace, true);
        devices.add(new Region(DEVICES, DEVICES_SIZE, DEVICES));
        return devices;
    }

    // Extended interrupts are not on every platform; without them there are fewer lines to hand out.
    private void configureVic() {
        List<Range> lines = root.profile().hostVirqs();
        boolean extended = lines.stream().anyMatch(range -> range.first() >= VirqPool.ESPI_BASE);
        try {
            hypercalls.configureVic(vm.vic, env.cpuCount(), extended ? SPI_COUNT + ESPI_COUNT : SPI_COUNT,
                    Hypercalls.VIC_NO_DEFAULT_ADDRESSES);
        } catch (HypFault refused) {
            if (!extended) {
                throw refused;
            }
            hypercalls.configureVic(vm.vic, env.cpuCount(), SPI_COUNT, Hypercalls.VIC_NO_DEFAULT_ADDRESSES);
            lines = lines.stream().filter(range -> range.first() < VirqPool.ESPI_BASE).toList();
        }
        vm.virqs = new VirqPool(lines);
        // a hardware interrupt comes at the line of its own number, so nothing else may get that
        env.hwirqCaps().keySet().forEach(vm.virqs::take);
    }

    private long vcpu(int cpu, long addrspace, long group) {
        long vcpu = vm.ledger.create(Stage.OBJECTS, ObjectType.THREAD);
        hypercalls.configureVcpu(vcpu, Hypercalls.VCPU_PINNED | Hypercalls.VCPU_CRITICAL | Hypercalls.VCPU_HLOS);
        hypercalls.setPriority(vcpu, PRIORITY);
        hypercalls.setTimeslice(vcpu, TIMESLICE_NS);
        hypercalls.setAffinity(vcpu, cpu);
        hypercalls.attachCspace(vm.cspace, vcpu);
        hypercalls.attachAddrspace(addrspace, vcpu);
        hypercalls.attachVic(vm.vic, vcpu, cpu);
        hypercalls.attachVpmGroup(group, vcpu, cpu);
        hypercalls.activate(vcpu);
        return vcpu;
    }

    private void attachGic(long addrspace) {
        hypercalls.attachVdevice(addrspace, vm.vic, 0, HostTree.GICD, HostTree.GICD_SIZE);
        for (int cpu = 0; cpu < env.cpuCount(); cpu++) {
            hypercalls.attachVdevice(addrspace, vm.vic, cpu + 1, HostTree.GICR + cpu * HostTree.GICR_SIZE,
                    HostTree.GICR_SIZE);
        }
    }

    // Whoever loads a kernel leaves a device tree for it, too; otherwise there is zeroed memory.
    private Optional<Fdt> loadedTree() {
        byte[] there = root.window().read(env.memextentCap(), List.of(new PhysRange(env.hlosDtb(), DTB_ROOM)));
        return ByteBuffer.wrap(there).getInt() == Fdt.MAGIC ? Optional.of(Fdt.parse(there)) : Optional.empty();
    }

    // Before the memory is given away: afterwards only the primary VM can write it.
    private void writeTree(QueuePair queues) {
        int firstFreeLine = root.profile().hostVirqs().getFirst().first();
        byte[] blob = loadedTree.map(tree -> HostTree.complete(tree, Vm.HLOS, queues, firstFreeLine)).orElseGet(
                () -> HostTree.build(Vm.HLOS, env.hlosBase(), env.hlosSize(), env.cpuCount(), queues, firstFreeLine))
                .toBytes();
        if (blob.length > DTB_ROOM) {
            throw new IllegalStateException("the primary VM's device tree needs %d bytes".formatted(blob.length));
        }
        root.window().write(env.memextentCap(), List.of(new PhysRange(env.hlosDtb(), blob.length)), blob);
    }

    /** Powers its first vCPU on: entry address, X0 = device tree. A kernel starts its other CPUs itself, by PSCI. */
    public void start() {
        hypercalls.powerOn(vcpus.getFirst(), env.hlosEntry(), env.hlosDtb(), 0);
    }
}
