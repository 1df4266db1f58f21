package gunyah.hyp.vcpu;

import gunyah.hyp.pcpu.Schedulable;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/** The active vCPUs by VMID, for statistics and descriptions. Thread safe. */
public final class VmRegistry {
    private final ConcurrentHashMap<Integer, CopyOnWriteArrayList<Vcpu>> vms = new ConcurrentHashMap<>();

    void add(int vmid, Vcpu vcpu) {
        vms.computeIfAbsent(vmid, id -> new CopyOnWriteArrayList<>()).add(vcpu);
    }

    void remove(int vmid, Vcpu vcpu) {
        vms.computeIfPresent(vmid, (id, vcpus) -> {
            vcpus.remove(vcpu);
            return vcpus.isEmpty() ? null : vcpus;
        });
    }

    /** {@return how many vCPUs of the VM are active} */
    int count(int vmid) {
        List<Vcpu> vcpus = vms.get(vmid);
        return vcpus == null ? 0 : vcpus.size();
    }

    /** {@return the vCPUs of a VM, empty when it has none} */
    public List<Vcpu> vcpus(int vmid) {
        List<Vcpu> vcpus = vms.get(vmid);
        return vcpus == null ? List.of() : List.copyOf(vcpus);
    }

    /** {@return VMIDs with active vCPUs} */
    public List<Integer> vmids() {
        return vms.keySet().stream().sorted().toList();
    }

    /** {@return the threads of all active vCPUs, for a scheduler that has to find them} */
    public List<? extends Schedulable> threads() {
        return all().stream().map(Vcpu::thread).toList();
    }

    /** {@return all active vCPUs} */
    public List<Vcpu> all() {
        return vms.values().stream().flatMap(List::stream).toList();
    }
}
