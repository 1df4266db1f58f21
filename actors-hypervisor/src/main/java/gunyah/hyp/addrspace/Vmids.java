package gunyah.hyp.addrspace;

import java.util.concurrent.ConcurrentHashMap;

/** The VMIDs in use in one hypervisor. Thread safe. */
public final class Vmids {
    private final ConcurrentHashMap<Integer, Addrspace> taken = new ConcurrentHashMap<>();

    boolean take(int vmid, Addrspace addrspace) {
        return taken.putIfAbsent(vmid, addrspace) == null;
    }

    void giveBack(int vmid, Addrspace addrspace) {
        taken.remove(vmid, addrspace);
    }
}
