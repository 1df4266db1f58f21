package gunyah.rm.vm;

import gunyah.rm.root.RmProfile;
import gunyah.rm.root.Root;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmFault;
import gunyah.rm.rpc.VmState;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;

/** All VMs by VMID, and which VMIDs are free. Static ids are 4..31, dynamic ones the profile's (rm_types.h). */
public final class VmTable {
    private static final int FIRST_STATIC = 4;
    private static final int END_STATIC = 32;

    private final Root root;
    private final TreeMap<Integer, Vm> vms = new TreeMap<>();

    public VmTable(Root root) {
        this.root = root;
    }

    Vm add(int vmid, int ownerVmid, VmState state) {
        Vm vm = new Vm(vmid, ownerVmid, state, root);
        vms.put(vmid, vm);
        if (ownerVmid != Vm.RM) {
            join(vm, vms.get(ownerVmid));
        }
        root.trace().state(vmid, state);
        return vm;
    }

    /** Makes two VMs each other's peers. */
    void join(Vm vm, Vm other) {
        vm.peers.add(other.vmid);
        other.peers.add(vm.vmid);
    }

    /** Ends a VM's ties to all its peers but its owner. */
    void part(Vm vm) {
        for (int peer : List.copyOf(vm.peers)) {
            if (peer != vm.ownerVmid) {
                vm.peers.remove(peer);
                vms.get(peer).peers.remove(vm.vmid);
            }
        }
    }

    /**
     * Makes a VM in LOAD.
     *
     * @param wanted static VMID, or 0 for the lowest free dynamic one
     */
    Vm allocate(int wanted, int ownerVmid) {
        return add(wanted == 0 ? lowestFree() : freeStatic(wanted), ownerVmid, VmState.LOAD);
    }

    private int lowestFree() {
        RmProfile profile = root.profile();
        for (int vmid = profile.firstVmid(); vmid < profile.endVmid(); vmid++) {
            if (vmid != Vm.RM && !vms.containsKey(vmid)) {
                return vmid;
            }
        }
        throw new RmFault(RmError.NORESOURCE);
    }

    private int freeStatic(int wanted) {
        if (wanted < FIRST_STATIC || wanted >= END_STATIC || vms.containsKey(wanted)) {
            throw new RmFault(RmError.NORESOURCE);
        }
        return wanted;
    }

    void remove(Vm vm) {
        part(vm);
        root.journal().afterwards(vm.ledger::undoAll);
        vms.remove(vm.vmid());
        vms.get(vm.ownerVmid).peers.remove(vm.vmid);
        root.trace().state(vm.vmid(), VmState.NONE);
    }

    public boolean contains(int vmid) {
        return vms.containsKey(vmid);
    }

    /** {@return the VM} Throws {@code missing} when there is none. */
    public Vm find(int vmid, RmError missing) {
        Vm vm = vms.get(vmid);
        if (vm == null) {
            throw new RmFault(missing);
        }
        return vm;
    }

    /** {@return the VM of this id if it is ready to start} */
    public Optional<Vm> waiting(int vmid) {
        return Optional.ofNullable(vms.get(vmid)).filter(vm -> vm.state == VmState.READY);
    }

    public Collection<Vm> all() {
        return Collections.unmodifiableCollection(vms.values());
    }
}
