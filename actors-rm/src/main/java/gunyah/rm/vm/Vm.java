package gunyah.rm.vm;

import gunyah.rm.dt.GuestConfig;
import gunyah.rm.link.RpcLink;
import gunyah.rm.memparcel.ParcelVm;
import gunyah.rm.root.Hypercalls;
import gunyah.rm.root.Ledger;
import gunyah.rm.root.VirqPool;
import gunyah.rm.rpc.AddressLayout;
import gunyah.rm.rpc.ConfigImage;
import gunyah.rm.rpc.MemRange;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmFault;
import gunyah.rm.rpc.VmState;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** One VM as the Resource Manager knows it: a stated state holder, changed by the services of this package. */
public final class Vm implements ParcelVm {
    /** The primary VM. */
    public static final int HLOS = 3;
    /** The Resource Manager itself. */
    public static final int RM = 255;

    final int vmid;
    final int ownerVmid;
    final Ledger ledger;
    VmState state;
    int osState;
    int appStatus;
    byte[] crashMessage = {};
    Optional<OwnedMemory> memory = Optional.empty();
    Optional<RpcLink> link = Optional.empty();
    long cspace;
    long vic;
    VirqPool virqs;
    long hostExtentCap;
    long rootVcpuCap;

    Optional<ConfigImage> image = Optional.empty();
    Optional<AddressLayout> imageLayout = Optional.empty();
    List<MemRange> demandPaged = List.of();
    Optional<GuestConfig> config = Optional.empty();
    Optional<GuestObjects> objects = Optional.empty();
    final Set<Integer> bootRegisters = new HashSet<>();

    Vm(int vmid, int ownerVmid, VmState state, Hypercalls hypercalls) {
        this.vmid = vmid;
        this.ownerVmid = ownerVmid;
        this.state = state;
        this.ledger = new Ledger(hypercalls);
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
    public Optional<OwnedMemory> ownedMemory() {
        return memory;
    }

    @Override
    public Optional<ParcelSpace> parcelSpace() {
        return objects.map(o -> new ParcelSpace(o.addrspace(), o.ipas()));
    }

    @Override
    public Ledger ledger() {
        return ledger;
    }

    boolean isIn(VmState first, VmState... others) {
        return EnumSet.of(first, others).contains(state);
    }

    /** Throws VM_STATE unless the VM is in one of these states. */
    void require(VmState first, VmState... others) {
        if (!isIn(first, others)) {
            throw new RmFault(RmError.VM_STATE);
        }
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
        link = Optional.empty();
        cspace = 0;
        vic = 0;
        virqs = null;
        image = Optional.empty();
        imageLayout = Optional.empty();
        demandPaged = List.of();
        config = Optional.empty();
        objects = Optional.empty();
        bootRegisters.clear();
    }
}
