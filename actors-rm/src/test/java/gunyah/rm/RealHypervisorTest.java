package gunyah.rm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import gunyah.rm.rpc.AclEntry;
import gunyah.rm.rpc.BootContext;
import gunyah.rm.rpc.ExitType;
import gunyah.rm.rpc.HypResource;
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
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The Resource Manager on the real hypervisor, driven as by the Linux v17 driver. */
class RealHypervisorTest {
    private static final int VCPU_RUN = 0x65;
    /** {@code mov x0, #3; movk x0, #0xc400, lsl #16; mov x1, #1; mov x2, #0x80100000; hvc #0; b .} */
    private static final int[] START_SECOND =
            {0xd280_0060, 0xf2b8_8000, 0xd280_0021, 0xd2b0_0202, 0xd400_0002, 0x1400_0000};

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

    /** The guest's first vCPU starts the second by PSCI, which its owner then may run. */
    @Test
    @Invariant("R2")
    void aVcpuThatCanRunAgainRaisesALineOfItsOwn() {
        PagedGuest guest = new PagedGuest(host);
        guest.configure(GuestTrees.guest(2));
        ByteBuffer program = ByteBuffer.allocate(4 * START_SECOND.length).order(ByteOrder.LITTLE_ENDIAN);
        for (int word : START_SECOND) {
            program.putInt(word);
        }
        host.port.write(PagedGuest.PAGE, program.array(), 0, program.capacity());
        host.ok(MessageId.VM_SET_BOOT_CONTEXT,
                new BootContext(guest.vmid, BootContext.SET_PC, 0, PagedGuest.PAGE_IPA));
        guest.start();
        guest.lendAPage();
        List<HypResource> vcpus = HypResource.decode(
                host.ok(MessageId.VM_GET_HYP_RESOURCES, new VmRequest(guest.vmid))).stream()
                .filter(r -> r.type() == ResourceType.VCPU.value()).toList();
        assertThat(vcpus).extracting(HypResource::label).containsExactly(0, 1);
        assertThat(vcpus.get(0).virq()).isNotZero().isNotEqualTo(vcpus.get(1).virq());
        assertThat(host.run(vcpus.get(1).capId())).as("it is off").startsWith(0, 2);
        host.fired.clear();

        host.running(vcpus.get(0).capId());

        await().atMost(Duration.ofSeconds(RealHost.LIMIT_SECONDS)).pollInterval(Duration.ofMillis(1))
                .until(() -> host.fired.contains(vcpus.get(1).virq()));
        host.ok(MessageId.VM_STOP, new StopRequest(guest.vmid, 1, 3));
    }
}
