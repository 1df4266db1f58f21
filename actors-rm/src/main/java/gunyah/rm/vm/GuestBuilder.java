package gunyah.rm.vm;

import gunyah.hyp.ObjectType;
import gunyah.hyp.Rights;
import gunyah.rm.dt.GuestConfig;
import gunyah.rm.dt.GuestConfig.Affinity;
import gunyah.rm.dt.GuestConfig.Gic;
import gunyah.rm.dt.GuestConfig.RpcDevice;
import gunyah.rm.dt.GuestOverlay;
import gunyah.rm.link.QueuePair;
import gunyah.rm.memparcel.IpaSpace;
import gunyah.rm.memparcel.OwnedMemory;
import gunyah.rm.memparcel.ParcelVm.ParcelSpace;
import gunyah.rm.root.Hypercalls;
import gunyah.rm.root.Hypercalls.VcpuVirq;
import gunyah.rm.root.Ledger.Stage;
import gunyah.rm.root.Root;
import gunyah.rm.root.VirqPool;
import gunyah.rm.rpc.ConfigImage;
import gunyah.rm.rpc.HypResource;
import gunyah.rm.rpc.MemRange;
import gunyah.rm.rpc.ParcelCreate;
import gunyah.rm.rpc.ResourceType;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmFault;
import gunyah.rm.vm.GuestObjects.GuestVcpu;
import gunyah.rm.vm.GuestObjects.Rpc;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Makes a guest's objects at INIT (vm_config.c), and the owner's capabilities to them. Whatever it made before a
 * failure is in the guest's ledger and goes at its reset.
 */
final class GuestBuilder {
    private static final int PROXY_PRIORITY = 0;
    private static final long PROXY_TIMESLICE_NS = 100_000;
    private static final int OWNER_PRIORITY = 32;
    private static final int SPI_COUNT = VirqPool.SPI_END - VirqPool.SPI_BASE;
    private static final long IPA_END = 1L << 36;
    /** Labels of memory extents as the Linux v17 driver knows them. */
    private static final int GUEST_PRIVATE = 0;
    private static final int HOST_SHARED = 1;
    private static final int HOST_PRIVATE = 2;
    private static final int GUEST_SHARED = 3;

    private final Root root;
    private final Hypercalls hypercalls;
    private final Vm vm;
    private final Vm owner;
    private final GuestConfig config;
    private final List<HypResource> resources = new ArrayList<>();

    /** @param owner a VM with memory, VIC and cspace */
    GuestBuilder(Root root, Vm vm, Vm owner, GuestConfig config) {
        this.root = root;
        this.hypercalls = root.hypercalls();
        this.vm = vm;
        this.owner = owner;
        this.config = config;
    }

    /** Makes everything but the devices between VMs; sets it in the VM. */
    void build() {
        IpaSpace ipas = new IpaSpace(IPA_END);
        long addrspace = addrspace(ipas);
        long privateExtent = extent(owner.memory(ParcelCreate.NORMAL).orElseThrow().extent());
        long sharedExtent = sharedExtent();
        vic();
        List<GuestVcpu> vcpus = vcpus(addrspace);
        gicRegisters(addrspace, ipas);
        Optional<Rpc> rpc = config.vdevices().stream().filter(RpcDevice.class::isInstance).map(RpcDevice.class::cast)
                .findFirst().map(device -> new Rpc(device, queues(device)));
        offerMemory(addrspace, privateExtent, sharedExtent);
        vm.space = Optional.of(new ParcelSpace(addrspace, ipas, false));
        vm.objects = Optional.of(new GuestObjects(addrspace, privateExtent, privateRanges(), vcpus, rpc,
                List.copyOf(resources)));
    }

    private long addrspace(IpaSpace ipas) {
        long addrspace = vm.ledger.create(Stage.OBJECTS, ObjectType.ADDRSPACE);
        hypercalls.configureAddrspace(addrspace, vm.vmid);
        hypercalls.activate(addrspace);
        long at = 0;
        for (MemRange range : privateRanges()) {
            ipas.take(range.base(), range.size());
            offerMmio(addrspace, at, range.base());
            at = range.base() + range.size();
            addRange(addrspace, range.base(), at, Hypercalls.RANGE_ADD_PRIVATE);
        }
        offerMmio(addrspace, at, IPA_END);
        return addrspace;
    }

    // An authenticated guest has no devices that its owner plays.
    private void offerMmio(long addrspace, long from, long to) {
        if (vm.image.orElseThrow().auth() != ConfigImage.AUTH_PLATFORM) {
            addRange(addrspace, from, to, Hypercalls.RANGE_ADD_VMMIO);
        }
    }

    private List<MemRange> privateRanges() {
        List<MemRange> ranges = new ArrayList<>(vm.demandPaged);
        vm.imageLayout.ifPresent(layout -> ranges.add(new MemRange(layout.base(), layout.size())));
        return GuestOverlay.merge(ranges);
    }

    private void addRange(long addrspace, long from, long to, int operation) {
        if (from < to) {
            hypercalls.configureRange(addrspace, from, to - from, operation);
        }
    }

    private long extent(long parent) {
        long extent = vm.ledger.create(Stage.OBJECTS, ObjectType.MEMEXTENT);
        hypercalls.deriveExtent(extent, parent, root.end(), Hypercalls.EXTENT_SPARSE_RWX);
        hypercalls.activate(extent);
        return extent;
    }

    // Mapped in the owner just as its own memory is, so that a page it shares never leaves its address space.
    private long sharedExtent() {
        OwnedMemory host = owner.memory(ParcelCreate.NORMAL).orElseThrow();
        long extent = extent(root.env().memextentCap());
        long base = root.env().hlosBase();
        long size = root.env().hlosSize();
        hypercalls.map(host.addrspace(), extent, base, Hypercalls.MAP_RWX, 0, base, size);
        vm.ledger.add(Stage.OBJECTS, () -> hypercalls.unmap(host.addrspace(), extent, base, 0, base, size));
        return extent;
    }

    private void vic() {
        vm.vic = vm.ledger.create(Stage.OBJECTS, ObjectType.VIC);
        hypercalls.configureVic(vm.vic, config.vcpus().cpus().size(), SPI_COUNT, Hypercalls.VIC_NO_DEFAULT_ADDRESSES);
        hypercalls.setLinearMpidr(vm.vic);
        hypercalls.activate(vm.vic);
        vm.virqs = new VirqPool(root.profile().guestVirqs(), config.fixedVirqs());
    }

    private List<GuestVcpu> vcpus(long addrspace) {
        boolean proxy = config.vcpus().affinity() == Affinity.PROXY;
        long group = config.psci() ? vpmGroup(proxy) : -1;
        List<GuestVcpu> vcpus = new ArrayList<>();
        for (int i = 0; i < config.vcpus().cpus().size(); i++) {
            long vcpu = vm.ledger.create(Stage.OBJECTS, ObjectType.THREAD);
            schedule(vcpu, i, proxy);
            hypercalls.attachCspace(vm.cspace, vcpu);
            hypercalls.attachAddrspace(addrspace, vcpu);
            hypercalls.attachVic(vm.vic, vcpu, i);
            if (config.psci()) {
                hypercalls.attachVpmGroup(group, vcpu, i);
            }
            hypercalls.activate(vcpu);
            int halt = bind(vcpu, root.env().vicCap(), root.virqs(), VcpuVirq.HALT);
            int wakeup = proxy ? bind(vcpu, owner.vic, owner.virqs, VcpuVirq.RUN_WAKEUP) : 0;
            long ownerCap = vm.ledger.copy(Stage.OBJECTS, vcpu, owner.cspace,
                    Rights.THREAD_AFFINITY | Rights.THREAD_YIELD_TO);
            int label = proxy ? i : config.vcpus().affinityMap().get(i);
            resources.add(HypResource.of(ResourceType.VCPU, 0, label, ownerCap, wakeup));
            long guestCap = config.psci() ? -1
                    : vm.ledger.copy(Stage.OBJECTS, vcpu, vm.cspace, Rights.THREAD_POWER);
            vcpus.add(new GuestVcpu(i, vcpu, guestCap, halt, config.vcpus().cpus().get(i).boot()));
        }
        return List.copyOf(vcpus);
    }

    private long vpmGroup(boolean proxy) {
        long group = vm.ledger.create(Stage.OBJECTS, ObjectType.VPM_GROUP);
        hypercalls.configureVpmGroup(group, proxy ? Hypercalls.VPM_NO_AGGREGATION : 0);
        hypercalls.activate(group);
        return group;
    }

    private void schedule(long vcpu, int index, boolean proxy) {
        if (proxy) {
            hypercalls.configureVcpu(vcpu, Hypercalls.VCPU_RUN_SCHEDULED);
            hypercalls.setPriority(vcpu, PROXY_PRIORITY);
            hypercalls.setTimeslice(vcpu, PROXY_TIMESLICE_NS);
            hypercalls.setAffinity(vcpu, Hypercalls.NO_AFFINITY);
            return;
        }
        int priority = OWNER_PRIORITY + config.vcpus().priorityOffset();
        if (priority < 0) {
            throw new RmFault(RmError.ARGUMENT_INVALID);
        }
        hypercalls.configureVcpu(vcpu, config.vcpus().affinity() == Affinity.PINNED ? Hypercalls.VCPU_PINNED : 0);
        hypercalls.setPriority(vcpu, priority);
        hypercalls.setTimeslice(vcpu, config.vcpus().timesliceMicros() * 1000L);
        hypercalls.setAffinity(vcpu, config.vcpus().affinityMap().get(index));
    }

    private int bind(long vcpu, long vic, VirqPool lines, VcpuVirq type) {
        int virq = vm.ledger.take(Stage.OBJECTS, lines);
        hypercalls.bindVcpuVirq(vcpu, vic, virq, type);
        vm.ledger.add(Stage.OBJECTS, () -> hypercalls.unbindVcpuVirq(vcpu, type));
        return virq;
    }

    // After the vCPUs: a redistributor page needs its vCPU.
    private void gicRegisters(long addrspace, IpaSpace ipas) {
        Gic gic = config.gic();
        int count = config.vcpus().cpus().size();
        ipas.take(gic.distributor(), Gic.DISTRIBUTOR_SIZE);
        ipas.take(gic.redistributor(), gic.stride() * count);
        hypercalls.attachVdevice(addrspace, vm.vic, 0, gic.distributor(), Gic.DISTRIBUTOR_SIZE);
        for (int i = 0; i < count; i++) {
            hypercalls.attachVdevice(addrspace, vm.vic, i + 1, gic.redistributor() + i * gic.stride(),
                    Gic.REDISTRIBUTOR_SIZE);
        }
    }

    private QueuePair queues(RpcDevice device) {
        return QueuePair.create(root, vm.ledger, new QueuePair.Client(vm.cspace, vm.vic, vm.virqs), device.depth(),
                device.messageSize(), device.txVirq(), device.rxVirq());
    }

    private void offerMemory(long addrspace, long privateExtent, long sharedExtent) {
        int map = Rights.MEMEXTENT_MAP | Rights.MEMEXTENT_DONATE;
        offer(ResourceType.ADDRSPACE, 0, vm.ledger.copy(Stage.OBJECTS, addrspace, owner.cspace,
                Rights.ADDRSPACE_MAP | Rights.ADDRSPACE_MAP_PROTECTED));
        offer(ResourceType.MEMEXTENT, GUEST_PRIVATE, vm.ledger.copy(Stage.OBJECTS, privateExtent, owner.cspace,
                map | Rights.MEMEXTENT_MAP_PRIVATE | Rights.MEMEXTENT_PROTECTED_GUEST));
        offer(ResourceType.MEMEXTENT, HOST_SHARED, owner.hostExtentCap);
        offer(ResourceType.MEMEXTENT, HOST_PRIVATE, owner.hostExtentCap);
        offer(ResourceType.MEMEXTENT, GUEST_SHARED, vm.ledger.copy(Stage.OBJECTS, sharedExtent, owner.cspace, map));
    }

    private void offer(ResourceType type, int label, long cap) {
        resources.add(HypResource.of(type, vm.vmid, label, cap, 0));
    }
}
