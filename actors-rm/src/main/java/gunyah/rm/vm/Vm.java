package gunyah.rm.vm;

import gunyah.hyp.ObjectType;
import gunyah.rm.dt.GuestConfig;
import gunyah.rm.link.RpcLink;
import gunyah.rm.memparcel.OwnedMemory;
import gunyah.rm.memparcel.ParcelVm;
import gunyah.rm.root.Hypercalls;
import gunyah.rm.root.Ledger;
import gunyah.rm.root.Ledger.Stage;
import gunyah.rm.root.Root;
import gunyah.rm.root.VirqPool;
import gunyah.rm.rpc.AddressLayout;
import gunyah.rm.rpc.ConfigImage;
import gunyah.rm.rpc.FirmwareMemory;
import gunyah.rm.rpc.MemRange;
import gunyah.rm.rpc.ParcelCreate;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmFault;
import gunyah.rm.rpc.VmState;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** One VM as the Resource Manager knows it: a stated state holder, changed by the services of this package. */
public final class Vm implements ParcelVm {
    /** The primary VM. */
    public static final int HLOS = 3;
    /** The Resource Manager itself. */
    public static final int RM = 255;
    /** First VMID that is not a static one. */
    static final int END_STATIC = 64;

    final int vmid;
    final int ownerVmid;
    final Ledger ledger;
    /** Who may ask for it and hears its status, besides itself: its owner, VMs it owns, named peers of its devices. */
    final Set<Integer> peers = new TreeSet<>();
    private final Root root;
    VmState state;
    int osState;
    int appStatus;
    byte[] crashMessage = {};
    Optional<OwnedMemory> memory = Optional.empty();
    Optional<OwnedMemory> ioMemory = Optional.empty();
    Optional<ParcelSpace> space = Optional.empty();
    Optional<RpcLink> link = Optional.empty();
    Optional<Console> console = Optional.empty();
    long cspace;
    long vic;
    VirqPool virqs;
    long hostExtentCap;
    long rootVcpuCap;

    Optional<ConfigImage> image = Optional.empty();
    Optional<AddressLayout> imageLayout = Optional.empty();
    Optional<AddressLayout> firmwareLayout = Optional.empty();
    Optional<FirmwareMemory> firmware = Optional.empty();
    List<MemRange> demandPaged = List.of();
    Optional<GuestConfig> config = Optional.empty();
    Optional<GuestObjects> objects = Optional.empty();
    final Set<Integer> bootRegisters = new HashSet<>();

    Vm(int vmid, int ownerVmid, VmState state, Root root) {
        this.vmid = vmid;
        this.ownerVmid = ownerVmid;
        this.state = state;
        this.root = root;
        this.ledger = new Ledger(root.hypercalls());
    }

    @Override
    public int vmid() {
        return vmid;
    }

    public int ownerVmid() {
        return ownerVmid;
    }

    public VmState state() {
        return state;
    }

    public Optional<RpcLink> link() {
        return link;
    }

    @Override
    public Optional<OwnedMemory> memory(int memType) {
        return memType == ParcelCreate.IO ? ioMemory : memory;
    }

    // Few guests ever own memory, so its extent is made with the first of it.
    @Override
    public OwnedMemory memoryOrNew(int memType) {
        Optional<OwnedMemory> known = memory(memType);
        if (known.isPresent()) {
            return known.get();
        }
        Hypercalls hypercalls = root.hypercalls();
        long extent = ledger.create(Stage.OBJECTS, ObjectType.MEMEXTENT);
        hypercalls.deriveExtent(extent, root.env().memextentCap(), root.end(), Hypercalls.EXTENT_SPARSE_RWX);
        hypercalls.activate(extent);
        OwnedMemory made = new OwnedMemory(extent, parcelSpace().orElseThrow().addrspace(), false);
        if (memType == ParcelCreate.IO) {
            ioMemory = Optional.of(made);
        } else {
            memory = Optional.of(made);
        }
        return made;
    }

    @Override
    public Optional<ParcelSpace> parcelSpace() {
        return space;
    }

    @Override
    public boolean isSensitive() {
        return vmid == RM || image.filter(i -> i.auth() == ConfigImage.AUTH_ANDROID).isPresent()
                || config.filter(GuestConfig::sensitive).isPresent();
    }

    boolean isIn(VmState first, VmState... others) {
        return EnumSet.of(first, others).contains(state);
    }

    /** {@return whether {@code asking} may learn about this VM} */
    public boolean isKnownTo(Vm asking) {
        return asking == this || asking.vmid == ownerVmid || peers.contains(asking.vmid);
    }

    /** {@return the configuration} Throws VM_STATE before INIT. */
    GuestConfig configured() {
        return config.orElseThrow(() -> new RmFault(RmError.VM_STATE));
    }

    /** {@return the objects} Throws VM_STATE before INIT. */
    GuestObjects built() {
        return objects.orElseThrow(() -> new RmFault(RmError.VM_STATE));
    }

    /** Forgets everything a new CONFIG_IMAGE sets again. */
    void clear() {
        osState = 0;
        appStatus = 0;
        crashMessage = new byte[0];
        memory = Optional.empty();
        ioMemory = Optional.empty();
        space = Optional.empty();
        link = Optional.empty();
        console = Optional.empty();
        cspace = 0;
        vic = 0;
        virqs = null;
        image = Optional.empty();
        imageLayout = Optional.empty();
        firmwareLayout = Optional.empty();
        firmware = Optional.empty();
        demandPaged = List.of();
        config = Optional.empty();
        objects = Optional.empty();
        bootRegisters.clear();
    }
}
