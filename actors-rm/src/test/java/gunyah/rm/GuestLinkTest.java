package gunyah.rm;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.config.fdt.DtNode;
import gunyah.rm.root.RmProfile;
import gunyah.rm.rpc.AclEntry;
import gunyah.rm.rpc.ConfigImage;
import gunyah.rm.rpc.ExitType;
import gunyah.rm.rpc.MemRange;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.PacketType;
import gunyah.rm.rpc.ParcelAccept;
import gunyah.rm.rpc.ParcelCreate;
import gunyah.rm.rpc.ParcelEvent;
import gunyah.rm.rpc.ParcelReturn;
import gunyah.rm.rpc.Payload;
import gunyah.rm.rpc.Reply;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmMessage;
import gunyah.rm.rpc.StopRequest;
import gunyah.rm.rpc.VmExited;
import gunyah.rm.rpc.VmRequest;
import gunyah.rm.rpc.VmState;
import gunyah.rm.rpc.WireReader;
import gunyah.rm.rpc.WireWriter;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Guests that talk to the Resource Manager themselves, and whose image parcel is accepted, not handed over. */
class GuestLinkTest {
    private static final int VM = 128;
    private static final long PARCEL = 0x4800_0000L;
    private static final long SHARED = 0x4900_0000L;

    private final HostClient host = new HostClient(RmProfile.large());
    private HostClient guest;

    @BeforeEach
    void startGuest() {
        DtNode tree = GuestTrees.guest(1);
        tree.find("/gunyah-vm-config/vdevices").orElseThrow().add("rm").strings("vdevice-type", "rm-rpc")
                .strings("generate", "/hypervisor/rm").cells("interrupts", 0, 0, 1, 0, 1, 1);
        host.call(MessageId.VM_ALLOC_VMID, new VmRequest(0));
        host.write(PARCEL, GuestTrees.blob(tree));
        int handle = share(MessageId.MEM_LEND, PARCEL, 0x4000, new AclEntry(VM, 7));
        host.call(MessageId.VM_CONFIG_IMAGE, new ConfigImage(VM, 0, handle, 0, 0, 0, 0x4000));
        assertThat(host.error(MessageId.VM_INIT, VM)).isEqualTo(RmError.OK);
        assertThat(host.error(MessageId.VM_START, VM)).isEqualTo(RmError.OK);
        guest = host.guest(VM);
    }

    private int share(MessageId id, long ipa, long size, AclEntry... acl) {
        Reply reply = host.call(id, new ParcelCreate(0, 0, 5, List.of(acl), List.of(new MemRange(ipa, size)),
                List.of()));
        assertThat(reply.error()).contains(RmError.OK);
        return new WireReader(reply.body()).u32();
    }

    private static byte[] none() {
        return new byte[0];
    }

    @Test
    void aGuestLearnsWhoItIs() {
        assertThat(guest.call(MessageId.VM_GET_VMID, GuestLinkTest::none).body()).containsExactly(128, 0, 0, 0);
        assertThat(guest.call(MessageId.VM_GET_OWNER, GuestLinkTest::none).body()).containsExactly(3, 0, 0, 0);
        assertThat(guest.call(MessageId.VM_GET_STATE, new VmRequest(0)).body())
                .containsExactly(VmState.RUNNING.value(), 0, 0, 0);
        assertThat(guest.error(MessageId.VM_ALLOC_VMID, 0)).isEqualTo(RmError.DENIED);
        assertThat(guest.error(MessageId.VM_START, 3)).isEqualTo(RmError.DENIED);
        assertThat(guest.error(MessageId.VM_STOP, new StopRequest(VM, 1, 3))).isEqualTo(RmError.VMID_INVALID);
        byte[] name = new WireWriter().u16(5).u16(0).bytes("guest".getBytes()).align().toBytes();
        assertThat(host.call(MessageId.VM_LOOKUP_NAME, () -> name).body()).containsExactly(1, 0, 0, 0, -128, 0, 0, 0);
    }

    @Test
    void aGuestEndsItself() {
        guest.post(MessageId.VM_EXIT.id(), new byte[] {1, 0, 3, 0});
        host.settle();
        host.read();

        assertThat(host.exits()).hasSize(1);
        VmExited exit = host.exits().getFirst();
        assertThat(exit.type()).isEqualTo(ExitType.VM_EXIT.ordinal());
        assertThat(exit.reason()).containsExactly(1, 0, 3, 0);
        assertThat(guest.error(MessageId.VM_EXIT, () -> new byte[] {0, 0, 2, 0})).isEqualTo(RmError.MSG_INVALID);
    }

    @Test
    void aStopWithoutForceOnlyAsksTheGuest() {
        assertThat(host.error(MessageId.VM_STOP, new StopRequest(VM, 0, 9))).isEqualTo(RmError.OK);
        guest.read();

        assertThat(guest.received).extracting(RmMessage::messageId).containsExactly(MessageId.VM_SHUTDOWN.id());
        assertThat(guest.received.getFirst().payload()).containsExactly(9, 0, 0, 0);
        assertThat(host.statuses(VM)).endsWith(VmState.RUNNING);
    }

    @Test
    void aSharedParcelIsMappedByAcceptAndUnmappedByRelease() {
        int handle = share(MessageId.MEM_SHARE, SHARED, 0x2000, new AclEntry(3, 6), new AclEntry(VM, 4));
        ParcelAccept accept = new ParcelAccept(handle, 0, 2, ParcelAccept.DONE | ParcelAccept.VALIDATE_LABEL, 5,
                List.of(), List.of(), 0, List.of());

        WireReader body = new WireReader(guest.call(MessageId.MEM_ACCEPT, accept).body());

        assertThat(body.u16()).isEqualTo(1);
        long ipa = body.skip(2).u64();
        FakeHypervisor.Mapping mapping = host.hyp.find(host.hyp.addrspace(VM), ipa + 0x1000);
        assertThat(mapping.offset()).isEqualTo(SHARED);
        assertThat(mapping.attributes()).isEqualTo(0xf_0044);
        host.write(SHARED, new byte[0x2000]);
        assertThat(guest.error(MessageId.MEM_ACCEPT, accept)).isEqualTo(RmError.DENIED);
        assertThat(host.error(MessageId.MEM_RECLAIM, new ParcelReturn(handle, 0))).isEqualTo(RmError.MEM_INUSE);
        assertThat(guest.error(MessageId.MEM_RELEASE, new ParcelReturn(handle, 0))).isEqualTo(RmError.OK);
        assertThat(host.hyp.find(host.hyp.addrspace(VM), ipa)).isNull();
        assertThat(guest.error(MessageId.MEM_RELEASE, new ParcelReturn(handle, 0))).isEqualTo(RmError.MEM_RELEASED);
        assertThat(host.error(MessageId.MEM_RECLAIM, new ParcelReturn(handle, 1))).isEqualTo(RmError.OK);
        host.write(SHARED, new byte[0x2000]);
    }

    @Test
    void acceptsThatDoNotMatchTheParcelAreRefused() {
        int handle = share(MessageId.MEM_LEND, SHARED, 0x2000, new AclEntry(VM, 6));

        assertThat(accept(handle, 2, 0, 5, List.of())).isEqualTo(RmError.ARGUMENT_INVALID);
        assertThat(accept(handle, 1, ParcelAccept.VALIDATE_LABEL, 6, List.of())).isEqualTo(RmError.VALIDATE_FAILED);
        assertThat(accept(handle, 1, ParcelAccept.VALIDATE_SANITISED, 5, List.of()))
                .isEqualTo(RmError.VALIDATE_FAILED);
        assertThat(accept(handle, 1, ParcelAccept.MAP_OTHER, 5, List.of())).isEqualTo(RmError.DENIED);
        assertThat(accept(handle, 1, ParcelAccept.DONE, 5, List.of(new MemRange(GuestTrees.GICD, 0x2000))))
                .isEqualTo(RmError.NORESOURCE);
        assertThat(accept(handle, 1, ParcelAccept.DONE, 5, List.of(new MemRange(0x1000, 0x1000))))
                .isEqualTo(RmError.ARGUMENT_INVALID);
        assertThat(accept(99, 1, ParcelAccept.DONE, 5, List.of())).isEqualTo(RmError.HANDLE_INVALID);
        assertThat(host.error(MessageId.MEM_RECLAIM, new ParcelReturn(handle, 0))).isEqualTo(RmError.OK);
    }

    private RmError accept(int handle, int transfer, int flags, int label, List<MemRange> ranges) {
        return guest.error(MessageId.MEM_ACCEPT,
                new ParcelAccept(handle, 0, transfer, flags, label, List.of(), ranges, 0, List.of()));
    }

    @Test
    void resetReleasesWhatTheGuestHadAccepted() {
        int handle = share(MessageId.MEM_LEND, SHARED, 0x2000, new AclEntry(VM, 6));
        assertThat(accept(handle, 1, ParcelAccept.DONE, 5, List.of(new MemRange(0x1000, 0x2000))))
                .isEqualTo(RmError.OK);

        host.call(MessageId.VM_STOP, new StopRequest(VM, 1, 3));
        assertThat(host.error(MessageId.VM_RESET, VM)).isEqualTo(RmError.OK);
        host.read();

        assertThat(host.statuses(VM)).endsWith(VmState.RESET);
        assertThat(host.received).filteredOn(m -> m.messageId() == MessageId.MEM_RELEASED.id())
                .extracting(m -> ParcelEvent.decode(m.payload()).handle()).containsExactly(handle, 0);
        assertThat(host.error(MessageId.VM_DEALLOC_VMID, VM)).isEqualTo(RmError.MEM_INUSE);
        assertThat(host.error(MessageId.MEM_RECLAIM, new ParcelReturn(handle, 0))).isEqualTo(RmError.OK);
        assertThat(host.error(MessageId.MEM_RECLAIM, new ParcelReturn(0, 0))).isEqualTo(RmError.OK);
        assertThat(host.error(MessageId.VM_DEALLOC_VMID, VM)).isEqualTo(RmError.OK);
    }

    @Test
    void anOwnerThatDoesNotReadLosesOldNewsButNeverAnExit() {
        host.received.clear();
        for (int i = 1; i <= 400; i++) {
            assertThat(guest.error(MessageId.VM_SET_STATUS, statusOf(i))).isEqualTo(RmError.OK);
        }
        guest.post(MessageId.VM_EXIT.id(), new byte[4]);
        host.settle();

        host.read();

        List<RmMessage> news = host.received.stream().filter(m -> m.type() == PacketType.NOTIFICATION).toList();
        assertThat(news).hasSizeBetween(256, 280);
        assertThat(news.getLast().messageId()).isEqualTo(MessageId.VM_EXITED.id());
        assertThat(news).extracting(m -> m.sequence()).isSorted();
    }

    private static Payload statusOf(int app) {
        return () -> new WireWriter().u8(0).u8(4).u16(app).toBytes();
    }
}
