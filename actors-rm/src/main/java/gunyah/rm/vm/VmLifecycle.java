package gunyah.rm.vm;

import gunyah.config.fdt.Fdt;
import gunyah.hyp.ObjectType;
import gunyah.rm.dt.GuestConfigParser;
import gunyah.rm.link.RpcLink;
import gunyah.rm.memparcel.MemParcel;
import gunyah.rm.memparcel.MemParcels;
import gunyah.rm.memparcel.ParcelBorrowing;
import gunyah.rm.root.HypFault;
import gunyah.rm.root.InterruptLines;
import gunyah.rm.root.Ledger.Stage;
import gunyah.rm.root.Root;
import gunyah.rm.rpc.AddressLayout;
import gunyah.rm.rpc.BootContext;
import gunyah.rm.rpc.ConfigImage;
import gunyah.rm.rpc.DemandPaging;
import gunyah.rm.rpc.ExitType;
import gunyah.rm.rpc.MemRange;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.Reply;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmFault;
import gunyah.rm.rpc.StopRequest;
import gunyah.rm.rpc.VmExited;
import gunyah.rm.rpc.VmRequest;
import gunyah.rm.rpc.VmState;
import gunyah.rm.rpc.WireReader;
import gunyah.rm.rpc.WireWriter;
import gunyah.rm.vm.GuestObjects.GuestVcpu;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * The life-cycle requests, from ALLOC_VMID to DEALLOC_VMID: who may, in which state, what happens, and which error
 * otherwise (vm_mgnt.c, vm_creation.c; demand paging, address layout and boot context as the Linux v17 driver needs
 * them).
 */
public final class VmLifecycle {
    private static final long PAGE_MASK = 0xfff;
    private static final long IPA_END = 1L << 36;
    private static final int GUEST_CAPS = 1024;
    private static final int SETS = 3;

    private final Root root;
    private final VmTable vms;
    private final Notices notices;
    private final MemParcels parcels;
    private final InterruptLines lines;
    private final Turns turns;
    private final VmStop stop;
    private final GuestStart start;
    private final Consumer<Vm> serve;

    /**
     * @param serve   reads the requests that wait in a VM's link
     * @param entropy seeds for guests' address layouts
     */
    public VmLifecycle(Root root, VmTable vms, Notices notices, MemParcels parcels, ParcelBorrowing borrowing,
            InterruptLines lines, Turns turns, Consumer<Vm> serve, LongSupplier entropy) {
        this.root = root;
        this.vms = vms;
        this.notices = notices;
        this.parcels = parcels;
        this.lines = lines;
        this.turns = turns;
        this.stop = new VmStop(root, notices, turns);
        this.start = new GuestStart(root, parcels, borrowing, entropy);
        this.serve = serve;
    }

    /** VM_ALLOC_VMID. */
    public Reply allocate(Vm caller, byte[] payload) {
        int wanted = VmRequest.decode(payload).vmid();
        requireHlos(caller);
        Vm vm = vms.allocate(wanted, caller.vmid);
        return wanted == 0 ? Reply.ofWord(vm.vmid) : Reply.of(RmError.OK);
    }

    /** VM_DEALLOC_VMID. Refused with MEM_INUSE while a parcel names the VM: a new VM of that id would inherit it. */
    public Reply deallocate(Vm caller, byte[] payload) {
        Vm vm = owned(caller, VmRequest.decode(payload).vmid(), RmError.DENIED);
        vm.require(VmState.LOAD, VmState.RESET);
        if (parcels.involve(vm.vmid)) {
            throw new RmFault(RmError.MEM_INUSE);
        }
        vms.remove(vm);
        return Reply.of(RmError.OK);
    }

    /** VM_CONFIG_IMAGE. */
    public Reply configImage(Vm caller, byte[] payload) {
        ConfigImage image = ConfigImage.decode(payload);
        requireHlos(caller);
        Vm vm = owned(caller, image.vmid(), RmError.DENIED);
        vm.require(VmState.LOAD, VmState.RESET);
        return orFailed(vm, () -> {
            checkImage(vm, image);
            vm.cspace = vm.ledger.create(Stage.OBJECTS, ObjectType.CSPACE);
            root.hypercalls().configureCspace(vm.cspace, GUEST_CAPS);
            root.hypercalls().activate(vm.cspace);
            vm.image = Optional.of(image);
            notices.move(vm, VmState.INIT);
        });
    }

    private void checkImage(Vm vm, ConfigImage image) {
        if (image.auth() != ConfigImage.AUTH_NONE) {
            boolean known = image.auth() == ConfigImage.AUTH_PLATFORM || image.auth() == ConfigImage.AUTH_ANDROID;
            throw new RmFault(known ? RmError.UNIMPLEMENTED : RmError.ARGUMENT_INVALID);
        }
        MemParcel parcel = imageParcel(vm, image);
        argument(within(image.imageOffset(), image.imageSize(), parcel.size()));
        argument(within(image.dtbOffset(), image.dtbSize(), parcel.size()));
    }

    private MemParcel imageParcel(Vm vm, ConfigImage image) {
        return parcels.all().stream().filter(p -> p.handle() == image.handle() && p.names(vm.vmid)).findFirst()
                .orElseThrow(() -> new RmFault(RmError.MEM_INVALID));
    }

    private static boolean within(long offset, long size, long limit) {
        return offset >= 0 && size >= 0 && offset <= limit && size <= limit - offset;
    }

    /** VM_SET_DEMAND_PAGING. */
    public Reply setDemandPaging(Vm caller, byte[] payload) {
        DemandPaging request = DemandPaging.decode(payload);
        Vm vm = owned(caller, request.vmid(), RmError.DENIED);
        vm.require(VmState.INIT);
        List<MemRange> sorted = request.ranges().stream().sorted(Comparator.comparingLong(MemRange::base)).toList();
        long end = 0;
        for (MemRange range : sorted) {
            checkRange(range.base(), range.size());
            argument(range.base() >= end);
            end = range.base() + range.size();
        }
        vm.demandPaged = sorted;
        return Reply.of(RmError.OK);
    }

    /** VM_SET_ADDRESS_LAYOUT. */
    public Reply setAddressLayout(Vm caller, byte[] payload) {
        AddressLayout layout = AddressLayout.decode(payload);
        Vm vm = owned(caller, layout.vmid(), RmError.DENIED);
        vm.require(VmState.INIT);
        if (layout.range() == AddressLayout.FIRMWARE) {
            throw new RmFault(RmError.UNIMPLEMENTED);
        }
        argument(layout.range() == AddressLayout.IMAGE);
        checkRange(layout.base(), layout.size());
        vm.imageLayout = Optional.of(layout);
        return Reply.of(RmError.OK);
    }

    private static void checkRange(long base, long size) {
        argument((base & PAGE_MASK) == 0 && (size & PAGE_MASK) == 0 && size > 0 && within(base, size, IPA_END));
    }

    /** VM_INIT. */
    public Reply init(Vm caller, byte[] payload) {
        VmRequest request = VmRequest.decode(payload);
        if (request.rest() != 0) {
            throw new RmFault(RmError.MSG_INVALID);
        }
        requireHlos(caller);
        Vm vm = owned(caller, request.vmid(), RmError.DENIED);
        vm.require(VmState.INIT);
        return orFailed(vm, () -> {
            ConfigImage image = vm.image.orElseThrow();
            Fdt tree = GuestTree.read(root, imageParcel(vm, image), image);
            vm.config = Optional.of(GuestConfigParser.parse(tree.root(), root.profile().maxVcpus()));
            vm.objects = Optional.of(new GuestBuilder(root, vm, caller, vm.configured()).build());
            connect(vm);
            notices.move(vm, VmState.READY);
        });
    }

    private void connect(Vm vm) {
        for (GuestVcpu vcpu : vm.built().vcpus()) {
            lines.connect(vcpu.haltVirq(), () -> stop.halted(vm, vcpu));
        }
        vm.built().rpc().ifPresent(rpc -> {
            RpcLink link = new RpcLink(vm.vmid, rpc.queues(), root);
            vm.link = Optional.of(link);
            lines.connect(rpc.queues().rootRxVirq(), () -> serve.accept(vm));
            lines.connect(rpc.queues().rootTxVirq(), () -> serve.accept(vm));
        });
    }

    private void disconnect(Vm vm) {
        vm.objects.ifPresent(objects -> {
            objects.vcpus().forEach(vcpu -> lines.disconnect(vcpu.haltVirq()));
            objects.rpc().ifPresent(rpc -> {
                lines.disconnect(rpc.queues().rootRxVirq());
                lines.disconnect(rpc.queues().rootTxVirq());
            });
        });
    }

    /** VM_SET_BOOT_CONTEXT. */
    public Reply setBootContext(Vm caller, byte[] payload) {
        BootContext register = BootContext.decode(payload);
        Vm vm = owned(caller, register.vmid(), RmError.DENIED);
        vm.require(VmState.READY);
        argument(register.set() < SETS);
        GuestVcpu vcpu = GuestStart.primary(vm).orElseThrow(() -> new RmFault(RmError.NORESOURCE));
        root.hypercalls().writeRegister(vcpu.cap(), register.set(), register.index(), register.value());
        vm.bootRegisters.add(register.set() << 8 | register.index());
        return Reply.of(RmError.OK);
    }

    /** VM_START. */
    public Reply start(Vm caller, byte[] payload) {
        Vm vm = owned(caller, VmRequest.decode(payload).vmid(), RmError.DENIED);
        vm.require(VmState.READY);
        return orFailed(vm, () -> {
            start.start(vm);
            notices.move(vm, VmState.RUNNING);
        });
    }

    // A configuration step that fails leaves the VM in INIT_FAILED, and its owner hears of it before the reply.
    private Reply orFailed(Vm vm, Runnable step) {
        try {
            step.run();
            return Reply.of(RmError.OK);
        } catch (RmFault | HypFault fault) {
            notices.move(vm, VmState.INIT_FAILED);
            throw fault;
        }
    }

    /** VM_STOP. With FORCE the answer comes when no vCPU executes any more. */
    public void stop(Vm caller, byte[] payload, Answer answer) {
        StopRequest request = StopRequest.decode(payload);
        Vm vm = owned(caller, request.vmid(), RmError.VMID_INVALID);
        if (!stop.canStop(vm) || vm.configured().noShutdown()) {
            throw new RmFault(RmError.VM_STATE);
        }
        if ((request.flags() & StopRequest.FORCE) == 0) {
            notices.tell(vm.vmid, MessageId.VM_SHUTDOWN, () -> new WireWriter().u32(request.reason()).toBytes(), true);
            answer.send(Reply.of(RmError.OK));
            return;
        }
        stop.exit(vm, VmExited.of(vm.vmid, ExitType.VM_STOP_FORCED, 0, 0), () -> answer.send(Reply.of(RmError.OK)));
    }

    /** VM_EXIT: a VM ends itself. */
    public void exit(Vm caller, byte[] payload, Answer answer) {
        WireReader reader = WireReader.exactly(payload, 4);
        int flags = reader.u16();
        int code = reader.u8();
        if (reader.u8() != 0 || code == 2 || code > 4) {
            throw new RmFault(RmError.MSG_INVALID);
        }
        if (!stop.canStop(caller) || caller.vmid == Vm.HLOS) {
            throw new RmFault(RmError.VM_STATE);
        }
        stop.exit(caller, VmExited.of(caller.vmid, ExitType.VM_EXIT, flags & VmExited.RESTART, code),
                () -> answer.send(Reply.of(RmError.OK)));
    }

    /** VM_RESET: answered at once, done in small steps; VM_STATUS(RESET) says when. */
    public Reply reset(Vm caller, byte[] payload) {
        Vm vm = owned(caller, VmRequest.decode(payload).vmid(), RmError.VMID_INVALID);
        vm.require(VmState.EXITED, VmState.READY, VmState.INIT_FAILED);
        if (vm.config.map(config -> config.noReset()).orElse(false)) {
            throw new RmFault(RmError.DENIED);
        }
        notices.move(vm, VmState.RESETTING);
        turns.next(() -> stop.stopVcpus(vm, () -> {
            disconnect(vm);
            resetStep(vm);
        }));
        return Reply.of(RmError.OK);
    }

    private void resetStep(Vm vm) {
        if (vm.ledger.undoOne()) {
            turns.next(() -> resetStep(vm));
            return;
        }
        vm.clear();
        notices.move(vm, VmState.RESET);
    }

    private Vm owned(Vm caller, int vmid, RmError notOwner) {
        Vm vm = vms.find(vmid, RmError.VMID_INVALID);
        if (vm.ownerVmid != caller.vmid) {
            throw new RmFault(notOwner);
        }
        return vm;
    }

    private static void requireHlos(Vm caller) {
        if (caller.vmid != Vm.HLOS) {
            throw new RmFault(RmError.DENIED);
        }
    }

    private static void argument(boolean legal) {
        if (!legal) {
            throw new RmFault(RmError.ARGUMENT_INVALID);
        }
    }
}
