package gunyah.hyp.vcpu;

import gunyah.hyp.KernelObject;
import gunyah.hyp.ObjectType;
import java.util.List;
import java.util.function.Predicate;

/**
 * Which VMs end with a kernel object that broke: those whose address space it is, that have a capability to it, or that
 * it interrupts. The root VM has a capability to everything and the primary VM to much of its guests', so these two end,
 * and the machine with them, only with their own address space and with the queues between them, which nobody else has.
 */
public final class Casualties {
    private final VmRegistry registry;
    private final int rootVmid;

    public Casualties(VmRegistry registry, int rootVmid) {
        this.registry = registry;
        this.rootVmid = rootVmid;
    }

    /** {@return the vCPUs of these VMs} Any thread that is not an object actor's. */
    List<Vcpu> of(KernelObject object) {
        List<Vcpu> guests = select(vcpu -> !vcpu.options().hlos()
                && (vcpu.addrspace() == object || object.interrupts(vcpu.vic()) || vcpu.cspace().holds(object)));
        if (!guests.isEmpty()) {
            return guests;
        }
        return select(vcpu -> vcpu.options().hlos() && (vcpu.addrspace() == object || isRootLink(vcpu, object)));
    }

    private boolean isRootLink(Vcpu vcpu, KernelObject object) {
        return object.type() == ObjectType.MSGQUEUE && vcpu.vmid() != rootVmid && object.interrupts(vcpu.vic());
    }

    private List<Vcpu> select(Predicate<Vcpu> concerned) {
        return registry.all().stream().filter(concerned).toList();
    }
}
