package gunyah.rm;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.rm.rpc.AclEntry;
import gunyah.rm.rpc.BootContext;
import gunyah.rm.rpc.ExitType;
import gunyah.rm.rpc.MemRange;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.ParcelAppend;
import gunyah.rm.rpc.ParcelCreate;
import gunyah.rm.rpc.ResourceType;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.StopRequest;
import gunyah.rm.rpc.VmExited;
import gunyah.rm.rpc.VmRequest;
import gunyah.rm.rpc.VmState;
import gunyah.rm.rpc.WireReader;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The Resource Manager on the real hypervisor, driven as by the Linux v17 driver. */
class RealHypervisorTest {
    private static final int VCPU_RUN = 0x65;

    private final RealHost host = new RealHost(2, 256L << 20);

    @AfterEach
    void stop() {
        host.close();
    }

    @Test
    @Invariant("M12")
    void aGuestLivesThroughTheSequenceOfTheDriverAndAllItsMemoryComesBack() {
        for (int round = 0; round < 2; round++) {
            PagedGuest guest = new PagedGuest(host);
            guest.configure(GuestTrees.guest(2));
            guest.start();

            guest.lendAPage();
            guest.shareAPage();

            host.ok(MessageId.VM_STOP, new StopRequest(guest.vmid, 1, 3));
            guest.takeTreeBack();
            guest.takePageBack();
            host.ok(MessageId.VM_RESET, new VmRequest(guest.vmid));
            host.awaitState(guest.vmid, VmState.RESET);
            host.ok(MessageId.VM_DEALLOC_VMID, new VmRequest(guest.vmid));
            host.port.write(PagedGuest.PARCEL, new byte[PagedGuest.PARCEL_SIZE], 0, PagedGuest.PARCEL_SIZE);
            assertThat(host.hypervisor.vmids()).doesNotContain(guest.vmid);
            assertThat(host.call(VCPU_RUN, guest.cap(ResourceType.VCPU, 0))[0]).isNotZero();
        }
    }

    /** A guest whose program is SYSTEM_OFF, run by a vCPU of the primary VM as its proxy. */
    @Test
    void aGuestThatPowersItselfOffIsReportedToItsOwner() {
        PagedGuest guest = new PagedGuest(host);
        guest.configure(GuestTrees.guest(1));
        host.port.write(PagedGuest.PAGE, HexFormat.of().parseHex("00018052" + "0080b072" + "020000d4"), 0, 12);
        host.ok(MessageId.VM_SET_BOOT_CONTEXT,
                new BootContext(guest.vmid, BootContext.SET_PC, 0, PagedGuest.PAGE_IPA));
        guest.start();
        guest.lendAPage();

        assertThat(guest.run()).startsWith(0, 2);
        VmExited exit = VmExited.decode(host.await(MessageId.VM_EXITED, payload -> true).payload());
        assertThat(exit.vmid()).isEqualTo(guest.vmid);
        assertThat(exit.type()).isEqualTo(ExitType.PLATFORM_OFF.ordinal());
        guest.takePageBack();
        host.ok(MessageId.VM_RESET, new VmRequest(guest.vmid));
        host.awaitState(guest.vmid, VmState.RESET);
    }

    @Test
    @Invariant("M9")
    void aRefusedPartOfASharedParcelLeavesItsOwnerWhatItShared() {
        MemRange page = new MemRange(0x4300_0000L, 0x1000);
        int vmid = new WireReader(host.ok(MessageId.VM_ALLOC_VMID, new VmRequest(0))).u32();
        int handle = new WireReader(host.ok(MessageId.MEM_SHARE, new ParcelCreate(0, ParcelCreate.MORE_FOLLOWS, 0,
                List.of(new AclEntry(3, 6), new AclEntry(vmid, 6)), List.of(page), List.of()))).u32();

        RmError twice = host.error(MessageId.MEM_APPEND, new ParcelAppend(handle, ParcelAppend.LAST, List.of(page)));

        assertThat(twice).isEqualTo(RmError.MEM_INVALID);
        host.port.write(page.base(), new byte[] {7}, 0, 1);
        assertThat(host.read(page.base())).isEqualTo(7);
    }
}
