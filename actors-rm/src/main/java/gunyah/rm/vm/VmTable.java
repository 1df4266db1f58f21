package gunyah.rm.vm;

import gunyah.rm.root.RmProfile;
import gunyah.rm.root.Root;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmFault;
import gunyah.rm.rpc.VmState;
import java.util.Collection;
import java.util.Collections;
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
        Vm vm = new Vm(vmid, ownerVmid, state, root.hypercalls());
        vms.put(vmid, vm);
        root.trace().state(vmid, state);
        return vm;
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
        vms.remove(vm.vmid());
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

    public Collection<Vm> all() {
        return Collections.unmodifiableCollection(vms.values());
    }
}
