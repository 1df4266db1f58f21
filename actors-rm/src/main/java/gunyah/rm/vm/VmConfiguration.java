package gunyah.rm.vm;

import gunyah.config.fdt.Fdt;
import gunyah.hyp.ObjectType;
import gunyah.rm.dt.GuestConfig.RpcDevice;
import gunyah.rm.dt.GuestConfigParser;
import gunyah.rm.link.RpcLink;
import gunyah.rm.memparcel.MemParcel;
import gunyah.rm.memparcel.MemParcels;
import gunyah.rm.root.Ledger.Stage;
import gunyah.rm.root.Root;
import gunyah.rm.rpc.AddressLayout;
import gunyah.rm.rpc.AuthImage;
import gunyah.rm.rpc.BootContext;
import gunyah.rm.rpc.ConfigImage;
import gunyah.rm.rpc.DemandPaging;
import gunyah.rm.rpc.FirmwareMemory;
import gunyah.rm.rpc.MemRange;
import gunyah.rm.rpc.ParcelTransfer;
import gunyah.rm.rpc.Reply;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmFault;
import gunyah.rm.rpc.VmRequest;
import gunyah.rm.rpc.VmState;
import gunyah.rm.vm.GuestObjects.GuestVcpu;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * The requests that prepare a VM, from CONFIG_IMAGE to SET_BOOT_CONTEXT (vm_creation.c; demand paging, address layout and
 * boot context as the Linux v17 driver needs them).
 */
public final class VmConfiguration {
    private static final long PAGE_MASK = 0xfff;
    private static final long IPA_END = 1L << 36;
    private static final int GUEST_CAPS = 1024;
    private static final int SETS = 3;

    private final Root root;
    private final Notices notices;
    private final MemParcels parcels;
    private final Connections connections;
    private final Vdevices vdevices;
    private final Firmware firmware;

    public VmConfiguration(Root root, Notices notices, MemParcels parcels, Connections connections,
            Vdevices vdevices, Firmware firmware) {
        this.root = root;
        this.notices = notices;
        this.parcels = parcels;
        this.connections = connections;
        this.vdevices = vdevices;
        this.firmware = firmware;
    }

    /** VM_CONFIG_IMAGE. */
    public Reply configImage(Call<ConfigImage> call) {
        ConfigImage image = call.request();
        return notices.orFailed(call.target(), vm -> {
            checkImage(vm, image);
            vm.cspace = vm.ledger.create(Stage.OBJECTS, ObjectType.CSPACE);
            root.hypercalls().configureCspace(vm.cspace, GUEST_CAPS);
            root.hypercalls().activate(vm.cspace);
            vm.image = Optional.of(image);
            notices.move(vm, image.auth() == ConfigImage.AUTH_PLATFORM ? VmState.AUTH : VmState.INIT);
        });
    }

    private void checkImage(Vm vm, ConfigImage image) {
        argument(image.auth() <= ConfigImage.AUTH_ANDROID);
        MemParcel parcel = parcelOf(vm, image.handle());
        argument(within(image.imageOffset(), image.imageSize(), parcel.size()));
        argument(within(image.dtbOffset(), image.dtbSize(), parcel.size()));
    }

    private MemParcel parcelOf(Vm vm, int handle) {
        return parcels.all().stream().filter(p -> p.handle() == handle && p.names(vm.vmid)).findFirst()
                .orElseThrow(() -> new RmFault(RmError.MEM_INVALID));
    }

    private static boolean within(long offset, long size, long limit) {
        return offset >= 0 && size >= 0 && offset <= limit && size <= limit - offset;
    }

    /** VM_AUTH_IMAGE. There is no authority on this platform: every image is good. */
    public Reply authImage(Call<AuthImage> call) {
        return notices.orFailed(call.target(), vm -> notices.move(vm, VmState.INIT));
    }

    /** VM_SET_FIRMWARE_MEM. */
    public Reply setFirmwareMemory(Call<FirmwareMemory> call) {
        FirmwareMemory place = call.request();
        firmware.checkOffered(call.target().image.orElseThrow().auth());
        MemParcel parcel = parcelOf(call.target(), place.handle());
        argument(((place.offset() | place.size()) & PAGE_MASK) == 0 && place.size() > 0);
        argument(within(place.offset(), place.size(), parcel.size()));
        call.target().firmware = Optional.of(place);
        return Reply.of(RmError.OK);
    }

    /** VM_SET_DEMAND_PAGING. */
    public Reply setDemandPaging(Call<DemandPaging> call) {
        List<MemRange> sorted =
                call.request().ranges().stream().sorted(Comparator.comparingLong(MemRange::base)).toList();
        long end = 0;
        for (MemRange range : sorted) {
            checkRange(range.base(), range.size());
            argument(range.base() >= end);
            end = range.base() + range.size();
        }
        call.target().demandPaged = sorted;
        return Reply.of(RmError.OK);
    }

    /** VM_SET_ADDRESS_LAYOUT. */
    public Reply setAddressLayout(Call<AddressLayout> call) {
        AddressLayout layout = call.request();
        argument(layout.range() == AddressLayout.IMAGE || layout.range() == AddressLayout.FIRMWARE);
        checkRange(layout.base(), layout.size());
        if (layout.range() == AddressLayout.IMAGE) {
            call.target().imageLayout = Optional.of(layout);
        } else {
            call.target().firmwareLayout = Optional.of(layout);
        }
        return Reply.of(RmError.OK);
    }

    private static void checkRange(long base, long size) {
        argument((base & PAGE_MASK) == 0 && (size & PAGE_MASK) == 0 && size > 0 && within(base, size, IPA_END));
    }

    /** Reads VM_INIT, whose spare halfword must be zero. */
    public static VmRequest decodeInit(byte[] payload) {
        VmRequest request = VmRequest.decode(payload);
        if (request.rest() != 0) {
            throw new RmFault(RmError.MSG_INVALID);
        }
        return request;
    }

    /** VM_INIT. */
    public Reply init(Call<VmRequest> call) {
        return notices.orFailed(call.target(), vm -> {
            ConfigImage image = vm.image.orElseThrow();
            MemParcel parcel = parcelOf(vm, image.handle());
            // What is read must be what is checked: nobody may write it meanwhile.
            if (parcel.transfer() != ParcelTransfer.LEND || parcel.state() != MemParcel.State.SHARING) {
                throw new RmFault(RmError.MEM_INVALID);
            }
            Fdt tree = GuestTree.read(root, parcel, image);
            vm.config = Optional.of(GuestConfigParser.parse(tree.root(), root.profile().maxVcpus()));
            new GuestBuilder(root, vm, call.caller(), vm.configured()).build();
            vdevices.build(vm, call.caller());
            connect(vm);
            notices.move(vm, VmState.READY);
        });
    }

    private void connect(Vm vm) {
        connections.vcpus(vm);
        vm.built().rpc().ifPresent(rpc -> {
            RpcDevice device = rpc.device();
            vm.link = Optional.of(new RpcLink(vm.vmid, rpc.queues(), root));
            vm.console = device.console() ? Optional.of(new Console()) : Optional.empty();
            connections.link(vm, rpc.queues());
        });
    }

    /** VM_SET_BOOT_CONTEXT. */
    public Reply setBootContext(Call<BootContext> call) {
        BootContext register = call.request();
        argument(register.set() < SETS);
        GuestVcpu vcpu = GuestStart.primary(call.target()).orElseThrow(() -> new RmFault(RmError.NORESOURCE));
        root.hypercalls().writeRegister(vcpu.cap(), register.set(), register.index(), register.value());
        call.target().bootRegisters.add(register.set() << 8 | register.index());
        return Reply.of(RmError.OK);
    }

    private static void argument(boolean legal) {
        if (!legal) {
            throw new RmFault(RmError.ARGUMENT_INVALID);
        }
    }
}
