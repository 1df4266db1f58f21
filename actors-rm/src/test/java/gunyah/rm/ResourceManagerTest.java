package gunyah.rm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gunyah.config.fdt.DtNode;
import gunyah.config.fdt.Fdt;
import gunyah.hyp.HypercallPort.ExternalAbort;
import gunyah.hyp.ObjectType;
import gunyah.hyp.Rights;
import gunyah.rm.root.RmProfile;
import gunyah.rm.rpc.AclEntry;
import gunyah.rm.rpc.AddressLayout;
import gunyah.rm.rpc.BootContext;
import gunyah.rm.rpc.ConfigImage;
import gunyah.rm.rpc.DemandPaging;
import gunyah.rm.rpc.ExitType;
import gunyah.rm.rpc.MemRange;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.PacketType;
import gunyah.rm.rpc.ParcelAccept;
import gunyah.rm.rpc.ParcelCreate;
import gunyah.rm.rpc.ParcelReturn;
import gunyah.rm.rpc.Reply;
import gunyah.rm.rpc.ResourceType;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmMessage;
import gunyah.rm.rpc.StopRequest;
import gunyah.rm.rpc.VmExited;
import gunyah.rm.rpc.VmRequest;
import gunyah.rm.rpc.VmState;
import gunyah.rm.rpc.WireReader;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** The Resource Manager from boot to the last reset, as the Linux v17 driver uses it, against a model hypervisor. */
class ResourceManagerTest {
    private static final long SEED = Long.getLong("gunyah.seed", 20_261_130L);
    private static final int VM = 128;
    private static final long PARCEL = 0x4800_0000L;
    private static final long PARCEL_SIZE = 0x4000;
    private static final long DTB_GPA = 0x8000_0000L;

    private HostClient host = new HostClient(RmProfile.large());

    private int lend(long ipa, long size, AclEntry... acl) {
        Reply reply = host.call(MessageId.MEM_LEND, new ParcelCreate(0, 0, 0, List.of(acl),
                List.of(new MemRange(ipa, size)), List.of()));
        assertThat(reply.error()).contains(RmError.OK);
        return new WireReader(reply.body()).u32();
    }

    /** ALLOC_VMID to SET_ADDRESS_LAYOUT. {@return handle of the image parcel} */
    private int configure(DtNode tree) {
        assertThat(host.call(MessageId.VM_ALLOC_VMID, new VmRequest(0)).body()).containsExactly(128, 0, 0, 0);
        byte[] blob = GuestTrees.blob(tree);
        host.write(PARCEL + 0x800, blob);
        int handle = lend(PARCEL, PARCEL_SIZE, new AclEntry(VM, 7));
        assertThat(host.error(MessageId.VM_CONFIG_IMAGE,
                new ConfigImage(VM, 0, handle, 0, 0, 0x800, PARCEL_SIZE - 0x800))).isEqualTo(RmError.OK);
        assertThat(host.error(MessageId.VM_SET_DEMAND_PAGING,
                new DemandPaging(VM, List.of(new MemRange(DTB_GPA, 0x1000_0000))))).isEqualTo(RmError.OK);
        assertThat(host.error(MessageId.VM_SET_ADDRESS_LAYOUT,
                new AddressLayout(VM, AddressLayout.IMAGE, DTB_GPA, PARCEL_SIZE))).isEqualTo(RmError.OK);
        return handle;
    }

    private void startGuest(int vcpus) {
        configure(GuestTrees.guest(vcpus));
        assertThat(host.error(MessageId.VM_INIT, VM)).isEqualTo(RmError.OK);
        assertThat(host.error(MessageId.VM_SET_BOOT_CONTEXT, new BootContext(VM, 1, 0, 0x8020_0000L)))
                .isEqualTo(RmError.OK);
        assertThat(host.error(MessageId.VM_START, VM)).isEqualTo(RmError.OK);
    }

    // What the driver does with a whole VM's pages before it resets it.
    private void takeBackImage() {
        FakeHypervisor.Obj guest = host.object(VM, ResourceType.MEMEXTENT, 0);
        FakeHypervisor.Obj extent = host.object(VM, ResourceType.MEMEXTENT, 2);
        for (long page = PARCEL; page < PARCEL + PARCEL_SIZE; page += 4096) {
            assertThat(host.hyp.owners.put(page, extent)).isSameAs(guest);
        }
    }

    @Test
    void thePrimaryVmHasItsMemoryOneToOneAndFindsTheResourceManagerInItsTree() {
        FakeHypervisor.Obj space = host.hyp.addrspace(3);
        byte[] blob = new byte[0x1_0000];
        host.hyp.access(space, FakeHypervisor.HLOS_DTB, blob, 0, blob.length, false);
        DtNode node = Fdt.parse(blob).root().find("/hypervisor/gunyah-resource-mgr").orElseThrow();

        assertThat(Fdt.parse(blob).root().find("/hypervisor").orElseThrow().strings("compatible"))
                .startsWith("gunyah-hypervisor");
        assertThat(node.isCompatible("gunyah-resource-manager")).isTrue();
        int[] reg = node.cells("reg").orElseThrow();
        FakeHypervisor.Cap tx = host.cspace.caps.get(DtNode.number(reg, 0, 2));
        FakeHypervisor.Cap rx = host.cspace.caps.get(DtNode.number(reg, 2, 2));
        assertThat(tx.rights()).isEqualTo(Rights.MSGQUEUE_SEND);
        assertThat(rx.rights()).isEqualTo(Rights.MSGQUEUE_RECEIVE);
        assertThat(tx.object().depth).isEqualTo(8);
        assertThat(tx.object().messageSize).isEqualTo(240);
        assertThat(tx.object().lines.get(0).virq()).isEqualTo(32 + node.cells("interrupts").orElseThrow()[1]);
        assertThat(host.hyp.find(space, FakeHypervisor.RM_BASE)).isNull();
    }

    @Test
    void thePrimaryVmHasOnePinnedVcpuPerCpuAndStartsWithTheFirst() {
        List<FakeHypervisor.Obj> vcpus = host.hyp.all(ObjectType.THREAD).subList(1, 3);

        assertThat(vcpus).extracting(v -> v.affinity).containsExactly(0, 1);
        FakeHypervisor.Obj first = vcpus.getFirst();
        assertThat(first.on).isTrue();
        assertThat(first.entry).isEqualTo(0x4100_0000L);
        assertThat(first.context).isEqualTo(FakeHypervisor.HLOS_DTB);
        assertThat(vcpus.getLast().on).isFalse();
        assertThat(vcpus).allMatch(v -> v.priority == 32 && v.slice == 5_000_000
                && v.options == (1L << 63 | 1 << 8 | 1));
    }

    @Test
    @Invariant("S3")
    void theWholeLifeOfAGuestLeavesNothingBehind() {
        int objects = host.hyp.liveObjects;
        int caps = host.cspace.caps.size();
        int rootCaps = host.hyp.rootCspace.caps.size();
        int rootLines = host.hyp.rootVic.sources.size();
        for (int round = 0; round < 3; round++) {
            host.received.clear();
            startGuest(2);
            assertThat(host.error(MessageId.VM_STOP, new StopRequest(VM, 1, 3))).isEqualTo(RmError.OK);
            takeBackImage();
            assertThat(host.error(MessageId.VM_RESET, VM)).isEqualTo(RmError.OK);
            host.read();
            assertThat(host.statuses(VM)).containsExactly(VmState.INIT, VmState.READY, VmState.RUNNING,
                    VmState.EXITED, VmState.RESETTING, VmState.RESET);
            assertThat(host.error(MessageId.VM_DEALLOC_VMID, VM)).isEqualTo(RmError.OK);

            assertThat(host.hyp.liveObjects).isEqualTo(objects);
            assertThat(host.cspace.caps).hasSize(caps);
            assertThat(host.hyp.rootCspace.caps).hasSize(rootCaps);
            assertThat(host.hyp.rootVic.sources).hasSize(rootLines);
            host.write(PARCEL, new byte[(int) PARCEL_SIZE]);
        }
    }

    @Test
    void startMovesTheImageIntoTheGuestWithItsTreeCompleted() {
        startGuest(1);

        FakeHypervisor.Obj space = host.hyp.addrspace(VM);
        byte[] blob = new byte[(int) PARCEL_SIZE - 0x800];
        host.hyp.access(space, DTB_GPA + 0x800, blob, 0, blob.length, false);
        DtNode root = Fdt.parse(blob).root();
        assertThat(root.find("/hypervisor/qcom,gunyah-vm").orElseThrow().cell("qcom,vmid")).contains(VM);
        assertThat(root.find("/chosen").orElseThrow().cells("kaslr-seed").orElseThrow())
                .containsExactly(0x1122_3344, 0x5566_7788);
        assertThat(root.find("/chosen").orElseThrow().string("bootargs")).contains("console=ttyS0");
        DtNode bell = root.find("/hypervisor/bell-7").orElseThrow();
        assertThat(bell.cells("interrupts").orElseThrow()).containsExactly(0, 5, 1);
        assertThat(bell.cell("label")).contains(7);
        assertThat(host.hyp.find(space, DTB_GPA).flags()).isEqualTo(3);
        assertThatThrownBy(() -> host.write(PARCEL, new byte[1])).isInstanceOf(ExternalAbort.class);
        assertThat(host.error(MessageId.MEM_RECLAIM, new ParcelReturn(0, 0))).isEqualTo(RmError.HANDLE_INVALID);
    }

    @Test
    void addressesOutsideLentMemoryGoToTheHost() {
        startGuest(1);

        assertThat(host.hyp.addrspace(VM).ranges)
                .containsExactly("0:0-80000000", "2:80000000-90000000", "0:90000000-1000000000");
        assertThat(host.hyp.addrspace(VM).vdevices)
                .containsOnly(Map.entry(0x3fff_0000L, 0), Map.entry(0x3ffd_0000L, 1));
    }

    @Test
    void theBootContextIsKeptAndTheRestIsDefault() {
        startGuest(2);
        FakeHypervisor.Obj first = host.object(VM, ResourceType.VCPU, 0);
        FakeHypervisor.Obj second = host.object(VM, ResourceType.VCPU, 1);

        assertThat(first.registers).containsEntry(1 << 8, 0x8020_0000L);
        assertThat(first.powerFlags).isEqualTo(1);
        assertThat(first.context).isEqualTo(DTB_GPA + 0x800);
        assertThat(first.on).isTrue();
        assertThat(second.on).isFalse();
        assertThat(host.error(MessageId.VM_SET_BOOT_CONTEXT, new BootContext(VM, 1, 0, 0)))
                .isEqualTo(RmError.VM_STATE);
    }

    @Test
    @Invariant({"R1", "R2"})
    void theOwnerGetsTheResourcesOfTheDriverWithTheirRights() {
        startGuest(2);

        assertThat(host.resources(VM)).extracting(r -> r.type() + ":" + r.label())
                .containsExactly("0:7", "4:0", "4:1", "10:0", "9:0", "9:1", "9:2", "9:3");
        int lines = (int) host.resources(VM).stream().filter(r -> r.type() == 4 && r.virq() >= 32).distinct().count();
        assertThat(lines).isEqualTo(2);
        long vcpu = host.resource(VM, ResourceType.VCPU, 0).capId();
        assertThat(host.cspace.caps.get(vcpu).rights()).isEqualTo(Rights.THREAD_AFFINITY | Rights.THREAD_YIELD_TO);
        long guest = host.resource(VM, ResourceType.MEMEXTENT, 0).capId();
        assertThat(host.cspace.caps.get(guest).rights())
                .isEqualTo(Rights.MEMEXTENT_MAP | Rights.MEMEXTENT_DONATE | Rights.MEMEXTENT_PROTECTED_GUEST
                        | Rights.MEMEXTENT_MAP_PRIVATE);
        FakeHypervisor.Obj hostPrivate = host.object(VM, ResourceType.MEMEXTENT, 2);
        assertThat(host.object(VM, ResourceType.MEMEXTENT, 0).parent).isSameAs(hostPrivate);
        assertThat(host.object(VM, ResourceType.MEMEXTENT, 3).parent)
                .isSameAs(host.object(VM, ResourceType.MEMEXTENT, 1).parent);
        assertThat(host.resources(VM)).isEqualTo(host.resources(VM));
    }

    @Test
    void proxyVcpusRunOnlyByDirectedYield() {
        startGuest(1);
        FakeHypervisor.Obj vcpu = host.object(VM, ResourceType.VCPU, 0);

        assertThat(vcpu.options).isEqualTo(1 << 9);
        assertThat(vcpu.priority).isZero();
        assertThat(vcpu.slice).isEqualTo(100_000);
        assertThat(vcpu.affinity).isEqualTo(0xffff);
    }

    @Test
    @Invariant("T4")
    void stopIsAnsweredWhenNoVcpuRunsAnyMore() {
        startGuest(2);
        host.object(VM, ResourceType.VCPU, 1).checksUntilExit = 20;
        host.received.clear();

        assertThat(host.error(MessageId.VM_STOP, new StopRequest(VM, 1, 3))).isEqualTo(RmError.OK);

        assertThat(host.received).extracting(RmMessage::messageId).containsExactly(MessageId.VM_STATUS.id(),
                MessageId.VM_EXITED.id(), MessageId.VM_STOP.id());
        assertThat(host.exits().getFirst().type()).isEqualTo(ExitType.VM_STOP_FORCED.ordinal());
        assertThat(host.hyp.addrspace(VM).unlocked).containsExactly(DTB_GPA);
        assertThat(host.error(MessageId.VM_STOP, new StopRequest(VM, 1, 3))).isEqualTo(RmError.VM_STATE);
    }

    @Test
    @Invariant("S6")
    void haltsSayWhyTheGuestEnded() {
        record Halt(long[] state, ExitType type, String reason) {
        }
        List<Halt> halts = List.of(
                new Halt(new long[] {2, 0, 0, 0}, ExitType.PLATFORM_OFF, "00000000"),
                new Halt(new long[] {6, 0, 0, 0}, ExitType.SOFTWARE_ERROR, "00000000"),
                new Halt(new long[] {0x100, 1L << 63, 0, 0}, ExitType.PLATFORM_RESET, "00000000"),
                new Halt(new long[] {0x100, 1L << 62 | 0x8000_0001L, 0x1_2345_6789L, 0}, ExitType.PSCI_SYSTEM_RESET2,
                        "00800000010000808967452301000000"),
                new Halt(new long[] {0x100, 5, 0x1_2345_6789L, 0}, ExitType.PSCI_SYSTEM_RESET2,
                        "00000000050000008967452300000000"));
        for (Halt halt : halts) {
            host = new HostClient(RmProfile.large());
            startGuest(2);
            FakeHypervisor.Obj other = host.object(VM, ResourceType.VCPU, 1);

            host.hyp.halt(host.object(VM, ResourceType.VCPU, 0), halt.state);
            host.settle();
            host.read();

            VmExited exit = host.exits().getFirst();
            assertThat(exit.type()).isEqualTo(halt.type.ordinal());
            assertThat(HexFormat.of().formatHex(exit.reason())).isEqualTo(halt.reason);
            byte[] news = host.news(MessageId.VM_EXITED).getFirst();
            assertThat(new WireReader(news).skip(4).u32()).isEqualTo(news.length - 8).isIn(4, 16);
            assertThat(other.killed).isTrue();
            assertThat(host.statuses(VM)).endsWith(VmState.EXITED);
        }
    }

    @Test
    void aStaleHaltLineEndsNobody() {
        startGuest(1);

        host.hyp.halt(host.object(VM, ResourceType.VCPU, 0), 1, 0, 1, 0);
        host.settle();
        host.read();

        assertThat(host.exits()).isEmpty();
    }

    @Test
    void requestsInTheWrongStateAreRefused() {
        host.call(MessageId.VM_ALLOC_VMID, new VmRequest(0));

        assertThat(host.error(MessageId.VM_INIT, VM)).isEqualTo(RmError.VM_STATE);
        assertThat(host.error(MessageId.VM_START, VM)).isEqualTo(RmError.VM_STATE);
        assertThat(host.error(MessageId.VM_RESET, VM)).isEqualTo(RmError.VM_STATE);
        assertThat(host.error(MessageId.VM_STOP, new StopRequest(VM, 1, 3))).isEqualTo(RmError.VM_STATE);
        assertThat(host.error(MessageId.VM_SET_DEMAND_PAGING, new DemandPaging(VM, List.of())))
                .isEqualTo(RmError.VM_STATE);
        assertThat(host.error(MessageId.VM_SET_ADDRESS_LAYOUT, new AddressLayout(VM, 0, 0, 4096)))
                .isEqualTo(RmError.VM_STATE);
        assertThat(host.error(MessageId.VM_GET_HYP_RESOURCES, VM)).isEqualTo(RmError.NORESOURCE);
        assertThat(host.error(MessageId.VM_START, 999)).isEqualTo(RmError.VMID_INVALID);
        assertThat(host.error(MessageId.VM_DEALLOC_VMID, 999)).isEqualTo(RmError.VMID_INVALID);
        assertThat(host.error(MessageId.VM_GET_HYP_RESOURCES, 999)).isEqualTo(RmError.ARGUMENT_INVALID);
        assertThat(host.error(MessageId.VM_INIT, new VmRequest(VM, 1))).isEqualTo(RmError.MSG_INVALID);
        assertThat(host.error(MessageId.VM_STOP, new StopRequest(3, 1, 3))).isEqualTo(RmError.VMID_INVALID);
        assertThat(host.error(MessageId.VM_START, 3)).isEqualTo(RmError.DENIED);
        assertThat(host.error(MessageId.VM_DEALLOC_VMID, VM)).isEqualTo(RmError.OK);
    }

    @Test
    void badRangesAreRefusedAndChangeNothing() {
        configure(GuestTrees.guest(1));

        for (MemRange bad : List.of(new MemRange(1, 4096), new MemRange(0, 1), new MemRange(0, 0),
                new MemRange(-4096, 8192), new MemRange(1L << 36, 4096), new MemRange(4096, Long.MIN_VALUE))) {
            assertThat(host.error(MessageId.VM_SET_DEMAND_PAGING, new DemandPaging(VM, List.of(bad))))
                    .isEqualTo(RmError.ARGUMENT_INVALID);
            assertThat(host.error(MessageId.VM_SET_ADDRESS_LAYOUT,
                    new AddressLayout(VM, 0, bad.base(), bad.size()))).isEqualTo(RmError.ARGUMENT_INVALID);
        }
        assertThat(host.error(MessageId.VM_SET_DEMAND_PAGING, new DemandPaging(VM,
                List.of(new MemRange(0, 8192), new MemRange(4096, 4096))))).isEqualTo(RmError.ARGUMENT_INVALID);
        assertThat(host.error(MessageId.VM_INIT, VM)).isEqualTo(RmError.OK);
    }

    /** As the Linux v17 driver does, which resets only what INIT was tried for. */
    @Test
    void aVmWhoseConfigurationFailedOrStoppedIsDeallocatedWithoutReset() {
        int objects = host.hyp.liveObjects;
        for (int failCall : new int[] {0x25, -1}) {
            host.call(MessageId.VM_ALLOC_VMID, new VmRequest(0));
            int handle = host.create(MessageId.MEM_LEND, 0, PARCEL, PARCEL_SIZE, new AclEntry(VM, 7));
            host.hyp.failCall = failCall;
            host.error(MessageId.VM_CONFIG_IMAGE, new ConfigImage(VM, 0, handle, 0, 0, 0, PARCEL_SIZE));
            host.hyp.failCall = -1;
            assertThat(host.statuses(VM)).endsWith(failCall < 0 ? VmState.INIT : VmState.INIT_FAILED);

            assertThat(host.error(MessageId.MEM_RECLAIM, new ParcelReturn(handle, 0))).isEqualTo(RmError.OK);
            assertThat(host.error(MessageId.VM_DEALLOC_VMID, VM)).isEqualTo(RmError.OK);
            assertThat(host.hyp.liveObjects).isEqualTo(objects);
        }
    }

    @Test
    void aFailedStartGivesTheImageBackToItsOwner() {
        int handle = configure(GuestTrees.guest(1));
        host.error(MessageId.VM_INIT, VM);
        host.hyp.failCall = 0x38;

        assertThat(host.error(MessageId.VM_START, VM)).isEqualTo(RmError.NOMEM);

        host.hyp.failCall = -1;
        assertThat(host.statuses(VM)).endsWith(VmState.INIT_FAILED);
        assertThat(host.error(MessageId.MEM_RECLAIM, new ParcelReturn(handle, 0))).isEqualTo(RmError.OK);
        host.write(PARCEL, new byte[(int) PARCEL_SIZE]);
        assertThat(host.error(MessageId.VM_RESET, VM)).isEqualTo(RmError.OK);
        host.read();
        assertThat(host.statuses(VM)).endsWith(VmState.RESET);
        assertThat(host.error(MessageId.VM_DEALLOC_VMID, VM)).isEqualTo(RmError.OK);
    }

    @Test
    void aFailedInitIsCleanedUpByReset() {
        int caps = host.cspace.caps.size();
        for (int call : new int[] {0x02, 0x03, 0x04, 0x05, 0x06, 0x0a, 0x23, 0x5c, 0x60, 0x62}) {
            host = new HostClient(RmProfile.large());
            int objects = host.hyp.liveObjects;
            int handle = configure(GuestTrees.guest(1));
            host.hyp.failCall = call;
            RmError error = host.error(MessageId.VM_INIT, VM);
            host.hyp.failCall = -1;
            if (call == 0x02) {
                assertThat(error).isEqualTo(RmError.OK);
            } else {
                assertThat(error).isEqualTo(RmError.NOMEM);
                assertThat(host.statuses(VM)).endsWith(VmState.INIT_FAILED);
            }

            assertThat(host.error(MessageId.MEM_RECLAIM, new ParcelReturn(handle, 0))).isEqualTo(RmError.OK);
            host.error(MessageId.VM_RESET, VM);
            host.read();

            assertThat(host.statuses(VM)).endsWith(VmState.RESET);
            assertThat(host.error(MessageId.VM_DEALLOC_VMID, VM)).isEqualTo(RmError.OK);
            assertThat(host.hyp.liveObjects).isEqualTo(objects);
            assertThat(host.cspace.caps).hasSize(caps);
        }
    }

    @Test
    @Invariant("D2")
    void damagedOrDishonestTreesNeverGetReady() {
        DtNode twoMemories = GuestTrees.guest(1);
        twoMemories.add("ram").strings("device_type", "memory").cells64("reg", 0, 4096);
        DtNode noConfig = GuestTrees.guest(1);
        noConfig.remove(noConfig.child("gunyah-vm-config").orElseThrow());
        DtNode unknownDevice = GuestTrees.guest(1);
        unknownDevice.find("/gunyah-vm-config/vdevices").orElseThrow().add("x").strings("vdevice-type", "warp-drive");

        assertThat(initError(GuestTrees.blob(twoMemories))).isEqualTo(RmError.ARGUMENT_INVALID);
        assertThat(initError(GuestTrees.blob(noConfig))).isEqualTo(RmError.ARGUMENT_INVALID);
        assertThat(initError(GuestTrees.blob(unknownDevice))).isEqualTo(RmError.NORESOURCE);
        byte[] good = GuestTrees.blob(GuestTrees.guest(1));
        for (int cut : new int[] {3, 7, 39, 60, good.length - 20}) {
            byte[] damaged = good.clone();
            Arrays.fill(damaged, cut, good.length, (byte) 0xff);
            assertThat(initError(damaged)).isEqualTo(RmError.MEM_INVALID);
        }
    }

    private RmError initError(byte[] blob) {
        host = new HostClient(RmProfile.large());
        host.call(MessageId.VM_ALLOC_VMID, new VmRequest(0));
        host.write(PARCEL, blob);
        int handle = lend(PARCEL, PARCEL_SIZE, new AclEntry(VM, 7));
        host.call(MessageId.VM_CONFIG_IMAGE, new ConfigImage(VM, 0, handle, 0, 0, 0, PARCEL_SIZE));
        RmError error = host.error(MessageId.VM_INIT, VM);
        assertThat(host.statuses(VM)).endsWith(VmState.INIT_FAILED);
        return error;
    }

    @Test
    @Invariant("D3")
    void aTreeWithoutRoomForTheOverlayFailsTheStart() {
        host.call(MessageId.VM_ALLOC_VMID, new VmRequest(0));
        byte[] blob = GuestTrees.blob(GuestTrees.guest(1));
        host.write(PARCEL, blob);
        int handle = lend(PARCEL, PARCEL_SIZE, new AclEntry(VM, 7));
        host.call(MessageId.VM_CONFIG_IMAGE, new ConfigImage(VM, 0, handle, 0, 0, 0, blob.length));
        host.call(MessageId.VM_INIT, new VmRequest(VM));

        assertThat(host.error(MessageId.VM_START, VM)).isEqualTo(RmError.NORESOURCE);
        assertThat(host.error(MessageId.MEM_RECLAIM, new ParcelReturn(handle, 0))).isEqualTo(RmError.OK);
    }

    @Test
    @Invariant("M11")
    void anImageThatSomebodyElseMayWriteIsNotRead() {
        for (boolean shared : new boolean[] {true, false}) {
            host = new HostClient(RmProfile.large());
            HostClient other = host.guest(host.running(GuestTrees.linked("other"), PARCEL + 0x10_0000));
            int id = new WireReader(host.call(MessageId.VM_ALLOC_VMID, new VmRequest(0)).body()).u32();
            host.write(PARCEL, GuestTrees.blob(GuestTrees.guest(1)));
            int handle = host.create(shared ? MessageId.MEM_SHARE : MessageId.MEM_LEND, 0, PARCEL, PARCEL_SIZE,
                    new AclEntry(shared ? 3 : VM, 7), new AclEntry(id, 7));
            if (!shared) {
                assertThat(other.error(MessageId.MEM_ACCEPT, new ParcelAccept(handle, 0, 1, ParcelAccept.DONE, 0,
                        List.of(), List.of(), 0, List.of()))).isEqualTo(RmError.OK);
            }
            assertThat(host.error(MessageId.VM_CONFIG_IMAGE, new ConfigImage(id, 0, handle, 0, 0, 0, PARCEL_SIZE)))
                    .isEqualTo(RmError.OK);

            assertThat(host.error(MessageId.VM_INIT, id)).as("shared %s", shared).isEqualTo(RmError.MEM_INVALID);
            assertThat(host.statuses(id)).endsWith(VmState.INIT_FAILED);
        }
    }

    @Test
    @Invariant("M11")
    void aParcelIsMappedByTheRootVmOnlyWhileItWorksAtIt() {
        List<FakeHypervisor.Mapping> before = List.copyOf(host.hyp.rootAddrspace.mappings);
        for (boolean fails : new boolean[] {true, false}) {
            configure(GuestTrees.guest(1));
            host.hyp.failCall = fails ? 0x38 : -1;
            host.error(MessageId.VM_INIT, VM);
            assertThat(host.hyp.rootAddrspace.mappings).isEqualTo(before);
            assertThat(host.error(MessageId.VM_START, VM)).isEqualTo(fails ? RmError.NOMEM : RmError.OK);
            assertThat(host.hyp.rootAddrspace.mappings).isEqualTo(before);
            host.hyp.failCall = -1;
            if (fails) {
                host.call(MessageId.VM_RESET, new VmRequest(VM));
                host.call(MessageId.MEM_RECLAIM, new ParcelReturn(0, 0));
                assertThat(host.error(MessageId.VM_DEALLOC_VMID, VM)).isEqualTo(RmError.OK);
            }
        }
        assertThat(initError(new byte[(int) PARCEL_SIZE])).isEqualTo(RmError.MEM_INVALID);
        assertThat(host.hyp.rootAddrspace.mappings).hasSameSizeAs(before);
    }

    /** Lines that the tree fixes and lines that are given out, in random trees. */
    @Test
    @Invariant("R3")
    void theInterruptsOfAVmDiffer() {
        Random random = new Random(SEED);
        for (int round = 0; round < 40; round++) {
            host = new HostClient(RmProfile.large());
            DtNode tree = GuestTrees.linked("lines");
            Set<Integer> fixed = new TreeSet<>();
            int bells = 1 + random.nextInt(20);
            for (int i = 0; i < bells; i++) {
                DtNode bell = GuestTrees.devices(tree).add("d" + i).strings("vdevice-type", "doorbell")
                        .strings("generate", "/hypervisor/d" + i).cells("label", i).flag("peer-default");
                // Those that are given out begin at 960.
                int line = random.nextBoolean() ? 928 + random.nextInt(24) : random.nextInt(900);
                if (random.nextInt(3) != 0 && fixed.add(line)) {
                    bell.cells("interrupts", 0, line, 1);
                }
            }
            int vm = host.running(tree, PARCEL);

            List<Integer> lines = new ArrayList<>();
            patched(vm).find("/hypervisor").orElseThrow().children()
                    .forEach(node -> node.cells("interrupts").ifPresent(cells -> {
                        for (int i = 0; i < cells.length; i += 3) {
                            lines.add(cells[i] << 16 | cells[i + 1]);
                        }
                    }));
            assertThat(lines).as("seed %d, round %d", SEED, round).doesNotHaveDuplicates().hasSize(bells + 2)
                    .containsAll(fixed);
        }
    }

    private DtNode patched(int vm) {
        byte[] blob = new byte[HostClient.IMAGE_SIZE];
        host.hyp.access(host.hyp.addrspace(vm), DTB_GPA, blob, 0, blob.length, false);
        return Fdt.parse(blob).root();
    }

    @Test
    @Invariant({"M2", "M3"})
    void lentMemoryIsOutOfReachUntilItIsReclaimed() {
        host.call(MessageId.VM_ALLOC_VMID, new VmRequest(0));
        int handle = lend(PARCEL, 0x2000, new AclEntry(VM, 7));

        assertThatThrownBy(() -> host.write(PARCEL + 0x1000, new byte[1])).isInstanceOf(ExternalAbort.class);
        assertThat(host.error(MessageId.VM_DEALLOC_VMID, VM)).isEqualTo(RmError.MEM_INUSE);
        assertThat(host.error(MessageId.MEM_LEND, new ParcelCreate(0, 0, 0, List.of(new AclEntry(VM, 7)),
                List.of(new MemRange(PARCEL - 0x1000, 0x2000)), List.of()))).isEqualTo(RmError.MEM_INVALID);
        host.write(PARCEL - 0x1000, new byte[1]);
        assertThat(host.error(MessageId.MEM_RECLAIM, new ParcelReturn(handle, 0))).isEqualTo(RmError.OK);
        host.write(PARCEL + 0x1000, new byte[1]);
        assertThat(host.error(MessageId.MEM_RECLAIM, new ParcelReturn(handle, 0))).isEqualTo(RmError.HANDLE_INVALID);
        assertThat(host.error(MessageId.VM_DEALLOC_VMID, VM)).isEqualTo(RmError.OK);
    }

    @Test
    void badParcelsAreRefused() {
        host.call(MessageId.VM_ALLOC_VMID, new VmRequest(0));
        List<MemRange> page = List.of(new MemRange(PARCEL, 0x1000));
        AclEntry good = new AclEntry(VM, 7);

        assertThat(lendError(List.of(), page)).isEqualTo(RmError.ARGUMENT_INVALID);
        assertThat(lendError(List.of(good), List.of())).isEqualTo(RmError.ARGUMENT_INVALID);
        assertThat(lendError(List.of(good, good), page)).isEqualTo(RmError.ARGUMENT_INVALID);
        assertThat(lendError(List.of(new AclEntry(VM, 3)), page)).isEqualTo(RmError.ARGUMENT_INVALID);
        assertThat(lendError(List.of(new AclEntry(3, 7)), page)).isEqualTo(RmError.ARGUMENT_INVALID);
        assertThat(lendError(List.of(new AclEntry(77, 7)), page)).isEqualTo(RmError.ARGUMENT_INVALID);
        assertThat(lendError(List.of(good), List.of(new MemRange(PARCEL + 1, 0x1000))))
                .isEqualTo(RmError.ARGUMENT_INVALID);
        assertThat(lendError(List.of(good), List.of(new MemRange(FakeHypervisor.RM_BASE, 0x1000))))
                .isEqualTo(RmError.MEM_INVALID);
        assertThat(lendError(List.of(good), List.of(new MemRange(PARCEL, 0x1000), new MemRange(PARCEL, 0x1000))))
                .isEqualTo(RmError.MEM_INVALID);
        host.write(PARCEL, new byte[0x1000]);
    }

    private RmError lendError(List<AclEntry> acl, List<MemRange> ranges) {
        return host.error(MessageId.MEM_LEND, new ParcelCreate(0, 0, 0, acl, ranges, List.of()));
    }

    @Test
    void sharedMemoryStaysWithItsOwner() {
        host.call(MessageId.VM_ALLOC_VMID, new VmRequest(0));
        host.write(PARCEL, new byte[] {42});

        assertThat(host.error(MessageId.MEM_SHARE, new ParcelCreate(0, 0, 0,
                List.of(new AclEntry(3, 6), new AclEntry(VM, 6)), List.of(new MemRange(PARCEL, 0x1000)), List.of())))
                .isEqualTo(RmError.OK);

        byte[] seen = new byte[1];
        host.hyp.access(host.hyp.addrspace(3), PARCEL, seen, 0, 1, false);
        assertThat(seen).containsExactly(42);
    }

    @Test
    void unknownAndUnbuiltRequestsAreUnimplemented() {
        assertThat(host.call(0x560000ff, new byte[0]).error()).contains(RmError.UNIMPLEMENTED);
        assertThat(host.call(MessageId.VM_SUSPEND.id(), new byte[4]).error()).contains(RmError.UNIMPLEMENTED);
        assertThat(host.call(MessageId.VM_GET_VMID.id(), new byte[0]).body()).containsExactly(3, 0, 0, 0);
        assertThat(host.call(MessageId.VM_GET_VMID.id(), new byte[4]).error()).contains(RmError.MSG_INVALID);
    }

    @Test
    @Invariant("T3")
    void everyRequestIsAnsweredOnceInOrderHoweverLateTheClientReads() {
        for (int i = 0; i < 500; i++) {
            host.post(MessageId.VM_GET_VMID.id(), new byte[0]);
        }
        host.settle();

        host.read();

        assertThat(host.received).filteredOn(m -> m.type() == PacketType.REPLY).hasSize(500)
                .isSortedAccordingTo(Comparator.comparingInt(RmMessage::sequence));
    }

    @Test
    @Invariant("S4")
    void theSmallestFreeVmidIsGivenAndNeverThatOfTheRoot() {
        for (int i = 0; i < 127; i++) {
            host.call(MessageId.VM_ALLOC_VMID, new VmRequest(0));
        }
        assertThat(host.call(MessageId.VM_ALLOC_VMID, new VmRequest(0)).body()).containsExactly(0, 1, 0, 0);
        assertThat(host.error(MessageId.VM_DEALLOC_VMID, 130)).isEqualTo(RmError.OK);
        assertThat(host.call(MessageId.VM_ALLOC_VMID, new VmRequest(0)).body()).containsExactly(130, 0, 0, 0);
        assertThat(host.error(MessageId.VM_ALLOC_VMID, 100)).isEqualTo(RmError.NORESOURCE);
    }

    @Test
    void theStrictProfileHas63Vms() {
        host = new HostClient(RmProfile.strict());
        for (int i = 0; i < 63; i++) {
            assertThat(host.error(MessageId.VM_ALLOC_VMID, 0)).isEqualTo(RmError.OK);
        }
        assertThat(host.error(MessageId.VM_ALLOC_VMID, 0)).isEqualTo(RmError.NORESOURCE);
    }

    @Test
    void fewerLinesThanTheProfileAsksForAreFine() {
        FakeHypervisor hyp = new FakeHypervisor(1);
        hyp.vicLines = 988;
        host = new HostClient(hyp, RmProfile.large());

        startGuest(1);

        assertThat(host.resource(VM, ResourceType.VCPU, 0).virq()).isBetween(32, 1019);
    }
}
