package gunyah.rm;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.hyp.ObjectType;
import gunyah.rm.root.RmProfile;
import gunyah.rm.rpc.AclEntry;
import gunyah.rm.rpc.ConfigImage;
import gunyah.rm.rpc.MemRange;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.ParcelAccept;
import gunyah.rm.rpc.ParcelCreate;
import gunyah.rm.rpc.ParcelReturn;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.StopRequest;
import gunyah.rm.rpc.VmRequest;
import gunyah.rm.rpc.VmState;
import gunyah.rm.rpc.WireReader;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/**
 * The Resource Manager meets a defect at a hypercall of a VM's life, at each fifth in turn
 * ({@code -Dgunyah.rm.restart-stride=1}: at each), and is restarted by its supervisor: every
 * request is answered, the VM can be ended, and afterwards no object and no page is missing.
 */
class RestartTest {
    private static final int STRIDE = Integer.getInteger("gunyah.rm.restart-stride", 5);
    private static final long IMAGE = 0x4800_0000L;
    private static final long MEMORY = 0x4900_0000L;

    @Test
    void whereverItFailsNothingIsHalfOwnedAndTheOwnerCanCleanUp() {
        int defect = 1;
        while (livesThrough(defect)) {
            defect += STRIDE;
        }
        assertThat(defect).as("hypercalls of a VM's life").isGreaterThan(80);
    }

    /** {@return whether there was a hypercall of this number} */
    private static boolean livesThrough(int defect) {
        HostClient host = new HostClient(RmProfile.large());
        Set<Long> before = host.hyp.owners.keySet().stream()
                .filter(page -> host.hyp.owners.get(page) == hostExtent(host)).collect(Collectors.toSet());
        int objects = host.hyp.liveObjects;
        int caps = host.cspace.caps.size();
        int vmid = new WireReader(host.call(MessageId.VM_ALLOC_VMID, new VmRequest(0)).body()).u32();
        host.write(IMAGE, GuestTrees.blob(GuestTrees.linked("a")));
        host.hyp.callsUntilDefect = defect;

        live(host, vmid);

        boolean met = host.hyp.callsUntilDefect == 0;
        host.hyp.callsUntilDefect = 0;
        assertThat(host.restarts).isEqualTo(met ? 1 : 0);
        clean(host, vmid);
        assertThat(host.error(MessageId.VM_DEALLOC_VMID, vmid)).as("defect at call %d", defect)
                .isIn(RmError.OK, RmError.VMID_INVALID);
        assertThat(host.hyp.owners.keySet().stream().filter(page -> host.hyp.owners.get(page) == hostExtent(host))
                .collect(Collectors.toSet())).as("defect at call %d", defect).isEqualTo(before);
        assertThat(host.hyp.liveObjects).as("objects, defect at call %d", defect).isBetween(objects, objects + 1);
        assertThat(host.cspace.caps.size()).as("caps, defect at call %d", defect).isBetween(caps, caps + 1);
        return met;
    }

    private static FakeHypervisor.Obj hostExtent(HostClient host) {
        return host.hyp.all(ObjectType.MEMEXTENT).stream()
                .filter(o -> o.parent == host.hyp.rootExtent).findFirst().orElseThrow();
    }

    private static void live(HostClient host, int vmid) {
        host.call(MessageId.MEM_LEND, parcel(IMAGE, 0x4000, vmid));
        host.call(MessageId.VM_CONFIG_IMAGE, new ConfigImage(vmid, 0, 0, 0, 0, 0, 0x4000));
        host.call(MessageId.VM_INIT, new VmRequest(vmid));
        host.call(MessageId.VM_START, new VmRequest(vmid));
        host.call(MessageId.MEM_LEND, parcel(MEMORY, 0x2000, vmid));
        if (host.statuses(vmid).contains(VmState.RUNNING)) {
            HostClient guest = host.guest(vmid);
            guest.call(MessageId.MEM_ACCEPT, new ParcelAccept(1, 0, 1, 128, 0, List.of(), List.of(), 0, List.of()));
            guest.call(MessageId.MEM_RELEASE, new ParcelReturn(1, 0));
        }
        clean(host, vmid);
    }

    private static ParcelCreate parcel(long ipa, long size, int vmid) {
        return new ParcelCreate(0, 0, 0, List.of(new AclEntry(vmid, 7)), List.of(new MemRange(ipa, size)), List.of());
    }

    private static void clean(HostClient host, int vmid) {
        host.call(MessageId.VM_STOP, new StopRequest(vmid, 1, 3));
        host.call(MessageId.VM_RESET, new VmRequest(vmid));
        host.call(MessageId.MEM_RECLAIM, new ParcelReturn(0, 0));
        host.call(MessageId.MEM_RECLAIM, new ParcelReturn(1, 0));
        host.call(MessageId.VM_DEALLOC_VMID, new VmRequest(vmid));
    }
}
