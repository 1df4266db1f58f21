package gunyah.rm;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.rm.rpc.BootContext;
import gunyah.rm.rpc.ExitType;
import gunyah.rm.rpc.HypResource;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.PacketType;
import gunyah.rm.rpc.ResourceType;
import gunyah.rm.rpc.StopRequest;
import gunyah.rm.rpc.VmExited;
import gunyah.rm.rpc.VmRequest;
import gunyah.rm.rpc.VmState;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The Resource Manager on the real hypervisor, driven by a Java host through true queues and hypercalls. */
class RealHypervisorTest extends OnRealHypervisor {
    @Test
    void aGuestLivesThroughTheSequenceOfTheDriverAndAllItsMemoryComesBack() throws Exception {
        for (int round = 0; round < 2; round++) {
            int vmid = configure(GuestTrees.guest(2));
            List<HypResource> resources = resources(vmid);
            ok(MessageId.VM_START, new VmRequest(vmid));

            long space = cap(resources, ResourceType.ADDRSPACE, 0);
            long guestPrivate = cap(resources, ResourceType.MEMEXTENT, 0);
            long hostShared = cap(resources, ResourceType.MEMEXTENT, 1);
            long hostPrivate = cap(resources, ResourceType.MEMEXTENT, 2);
            long guestShared = cap(resources, ResourceType.MEMEXTENT, 3);
            lendAPage(space, hostPrivate, guestPrivate);
            shareAPage(space, hostShared, guestShared);

            ok(MessageId.VM_STOP, new StopRequest(vmid, 1, 3));
            for (long page = 0; page < PARCEL_SIZE; page += 4096) {
                takeBack(space, guestPrivate, hostPrivate, DTB_GPA + page, PARCEL + page);
            }
            takeBack(space, guestPrivate, hostPrivate, DTB_GPA + 0x10_0000, PAGE);
            ok(MessageId.VM_RESET, new VmRequest(vmid));
            awaitState(VmState.RESET);
            ok(MessageId.VM_DEALLOC_VMID, new VmRequest(vmid));
            port.write(PARCEL, new byte[(int) PARCEL_SIZE], 0, (int) PARCEL_SIZE);
            assertThat(hypervisor.vmids()).doesNotContain(vmid);
            assertThat(call(0x65, cap(resources, ResourceType.VCPU, 0))[0]).isNotZero();
        }
    }

    /** A guest whose program is SYSTEM_OFF, run by a vCPU of the primary VM as its proxy. */
    @Test
    void aGuestThatPowersItselfOffIsReportedToItsOwner() throws Exception {
        int vmid = configure(GuestTrees.guest(1));
        port.write(PAGE, HexFormat.of().parseHex("00018052" + "0080b072" + "020000d4"), 0, 12);
        ok(MessageId.VM_SET_BOOT_CONTEXT, new BootContext(vmid, BootContext.SET_PC, 0, DTB_GPA + 0x10_0000));
        List<HypResource> resources = resources(vmid);
        ok(MessageId.VM_START, new VmRequest(vmid));
        lendAPage(cap(resources, ResourceType.ADDRSPACE, 0), cap(resources, ResourceType.MEMEXTENT, 2),
                cap(resources, ResourceType.MEMEXTENT, 0));

        assertThat(run(cap(resources, ResourceType.VCPU, 0))).startsWith(0, 2);
        VmExited exit = VmExited.decode(
                await(PacketType.NOTIFICATION.ordinal(), MessageId.VM_EXITED.id(), -1).payload());
        assertThat(exit.vmid()).isEqualTo(vmid);
        assertThat(exit.type()).isEqualTo(ExitType.PLATFORM_OFF.ordinal());
        takeBack(cap(resources, ResourceType.ADDRSPACE, 0), cap(resources, ResourceType.MEMEXTENT, 0),
                cap(resources, ResourceType.MEMEXTENT, 2), DTB_GPA + 0x10_0000, PAGE);
        ok(MessageId.VM_RESET, new VmRequest(vmid));
        awaitState(VmState.RESET);
    }

    private void shareAPage(long space, long from, long to) {
        long page = PAGE + 0x1000;
        assertThat(call(DONATE, 2, from, to, page, 0x1000)[0]).isZero();
        assertThat(call(MAP, space, to, 0xa000_0000L, 0xf_0066, 5, page, 0x1000)[0]).isZero();
        port.write(page, new byte[] {1}, 0, 1);
        assertThat(call(UNMAP, space, to, 0xa000_0000L, 5, page, 0x1000)[0]).isZero();
        assertThat(call(DONATE, 2, to, from, page, 0x1000)[0]).isZero();
        port.write(page, new byte[] {2}, 0, 1);
    }
}
