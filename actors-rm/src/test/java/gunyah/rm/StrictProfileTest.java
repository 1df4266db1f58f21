package gunyah.rm;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.config.fdt.DtNode;
import gunyah.hyp.ObjectType;
import gunyah.rm.root.RmProfile;
import gunyah.rm.rpc.AclEntry;
import gunyah.rm.rpc.AddressLayout;
import gunyah.rm.rpc.ConfigImage;
import gunyah.rm.rpc.IpaReserve;
import gunyah.rm.rpc.MemRange;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.PacketType;
import gunyah.rm.rpc.ParcelAccept;
import gunyah.rm.rpc.ParcelAppend;
import gunyah.rm.rpc.ParcelCreate;
import gunyah.rm.rpc.ParcelNotify;
import gunyah.rm.rpc.ParcelReturn;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmMessage;
import gunyah.rm.rpc.StatusUpdate;
import gunyah.rm.rpc.TextRequest;
import gunyah.rm.rpc.VmRequest;
import gunyah.rm.rpc.WireReader;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * The limits of the public Resource Manager, one by one: what is just inside is served, what is just outside is refused
 * as the original refuses it.
 */
class StrictProfileTest {
    private static final long IMAGES = 0x4200_0000L;
    private static final long MEMORY = 0x4a00_0000L;
    private static final int PAGE = 0x1000;
    private static final long IPA_END = 1L << 36;

    private HostClient host = new HostClient(RmProfile.strict());
    private int images;

    private int vmid(int wanted) {
        assertThat(host.error(MessageId.VM_ALLOC_VMID, wanted)).isEqualTo(RmError.OK);
        return wanted;
    }

    /** {@return what INIT answers to a VM of this tree, in an image parcel of its own} */
    private RmError init(DtNode tree) {
        int id = host.configure(tree, IMAGES + images++ * (long) HostClient.IMAGE_SIZE, 0);
        return host.error(MessageId.VM_INIT, id);
    }

    private static DtNode scheduled(int vcpus) {
        DtNode tree = GuestTrees.guest(vcpus);
        GuestTrees.devices(tree).remove(GuestTrees.devices(tree).child("bell-7").orElseThrow());
        tree.find("/gunyah-vm-config/vcpus").orElseThrow().strings("affinity", "static")
                .cells("affinity-map", new int[vcpus]).cells("sched-priority", -1).cells("sched-timeslice", 5000);
        return tree;
    }

    @Test
    void thereAre63DynamicVmidsAndTheLowestFreeOneComesFirst() {
        for (int expected = 128; expected <= 190; expected++) {
            assertThat(new WireReader(host.call(MessageId.VM_ALLOC_VMID, new VmRequest(0)).body()).u32())
                    .isEqualTo(expected);
        }
        assertThat(host.error(MessageId.VM_ALLOC_VMID, 0)).isEqualTo(RmError.NORESOURCE);

        assertThat(host.error(MessageId.VM_DEALLOC_VMID, 150)).isEqualTo(RmError.OK);
        assertThat(host.error(MessageId.VM_DEALLOC_VMID, 140)).isEqualTo(RmError.OK);

        assertThat(new WireReader(host.call(MessageId.VM_ALLOC_VMID, new VmRequest(0)).body()).u32()).isEqualTo(140);
    }

    @Test
    void theVmidsToAskForByNumberAre4To31() {
        for (int wanted = 4; wanted < 32; wanted++) {
            vmid(wanted);
        }
        for (int wanted : new int[] {1, 2, 3, 4, 31, 32, 63, 64, 127, 128, 190, 255, 0xfffe, 0xffff}) {
            assertThat(host.error(MessageId.VM_ALLOC_VMID, wanted)).as("VMID %d", wanted).isEqualTo(RmError.NORESOURCE);
        }
    }

    @Test
    void thePrimaryVmHas58LinesForItsGuests() {
        for (int proxies = 0; proxies < 58; proxies += 2) {
            DtNode tree = GuestTrees.guest(2);
            GuestTrees.devices(tree).remove(GuestTrees.devices(tree).child("bell-7").orElseThrow());
            assertThat(init(tree)).as("proxy %d", proxies).isEqualTo(RmError.OK);
        }

        assertThat(init(GuestTrees.guest(1))).isEqualTo(RmError.NORESOURCE);
    }

    @Test
    void aGuestHas60Lines() {
        for (int bells : new int[] {60, 61}) {
            DtNode tree = scheduled(1);
            for (int i = 0; i < bells; i++) {
                GuestTrees.devices(tree).add("d" + i).strings("vdevice-type", "doorbell").cells("label", i)
                        .flag("peer-default");
            }
            assertThat(init(tree)).as("%d doorbells", bells).isEqualTo(bells == 60 ? RmError.OK : RmError.NORESOURCE);
        }
    }

    @Test
    void theRootVmHas480LinesTwoOfThemForThePrimaryVm() {
        for (int vm = 0; vm < 59; vm++) {
            assertThat(init(scheduled(8))).as("VM %d of 8 vCPUs", vm).isEqualTo(RmError.OK);
        }
        assertThat(init(scheduled(6))).as("478 lines, 472 taken").isEqualTo(RmError.OK);
        assertThat(init(scheduled(1))).isEqualTo(RmError.NORESOURCE);
    }

    @Test
    void aGuestHasAtMost8Vcpus() {
        assertThat(init(scheduled(8))).isEqualTo(RmError.OK);
        assertThat(init(scheduled(9))).isEqualTo(RmError.ARGUMENT_INVALID);
    }

    @Test
    void timeSlicesAndPrioritiesHaveTheirRanges() {
        record Case(String property, int value, RmError error) {
        }
        for (Case c : List.of(new Case("sched-timeslice", 100, RmError.OK),
                new Case("sched-timeslice", 99, RmError.ARGUMENT_INVALID),
                new Case("sched-timeslice", 100_000, RmError.OK),
                new Case("sched-timeslice", 100_001, RmError.ARGUMENT_INVALID),
                new Case("sched-priority", -32, RmError.OK), new Case("sched-priority", 0, RmError.ARGUMENT_INVALID),
                new Case("sched-priority", -33, RmError.ARGUMENT_INVALID))) {
            DtNode tree = scheduled(1);
            tree.find("/gunyah-vm-config/vcpus").orElseThrow().cells(c.property, c.value);
            assertThat(init(tree)).as(c.toString()).isEqualTo(c.error);
        }
    }

    @Test
    void aVmOwnsAtMost64Parcels() {
        host.call(MessageId.VM_ALLOC_VMID, new VmRequest(0));
        List<Integer> handles = new ArrayList<>();
        for (int i = 0; i < 64; i++) {
            handles.add(host.create(MessageId.MEM_LEND, 0, MEMORY + (long) i * PAGE, PAGE, new AclEntry(128, 7)));
        }
        ParcelCreate next = parcel(List.of(new MemRange(MEMORY + 64L * PAGE, PAGE)), 0);
        assertThat(host.error(MessageId.MEM_SHARE, new ParcelCreate(0, 0, 0,
                List.of(new AclEntry(3, 6), new AclEntry(128, 6)), next.ranges(), List.of()))).isEqualTo(RmError.DENIED);
        assertThat(host.error(MessageId.MEM_LEND, next)).isEqualTo(RmError.DENIED);

        assertThat(host.error(MessageId.MEM_RECLAIM, new ParcelReturn(handles.getFirst(), 0))).isEqualTo(RmError.OK);

        assertThat(host.error(MessageId.MEM_LEND, next)).isEqualTo(RmError.OK);
    }

    private static ParcelCreate parcel(List<MemRange> ranges, int flags) {
        return new ParcelCreate(0, flags, 0, List.of(new AclEntry(128, 7)), ranges, List.of());
    }

    private static List<MemRange> pages(int from, int count) {
        List<MemRange> ranges = new ArrayList<>();
        for (int i = from; i < from + count; i++) {
            ranges.add(new MemRange(MEMORY + (long) i * PAGE, PAGE));
        }
        return ranges;
    }

    @Test
    void aListHasAtMost512EntriesAnd30AddressesAreReservedAtOnce() {
        host.call(MessageId.VM_ALLOC_VMID, new VmRequest(0));
        assertThat(host.error(MessageId.MEM_LEND, parcel(pages(0, 512), 0))).isEqualTo(RmError.OK);
        assertThat(host.error(MessageId.MEM_LEND, parcel(pages(512, 513), 0))).isEqualTo(RmError.NORESOURCE);

        HostClient guest = host.guest(host.running(GuestTrees.linked("a"), IMAGES));
        List<MemRange> places = new ArrayList<>();
        for (int i = 0; i < 31; i++) {
            places.add(new MemRange(0x1_0000_0000L + (long) i * PAGE, PAGE));
        }
        assertThat(guest.error(MessageId.IPA_RESERVE, new IpaReserve(0, 0, places, List.of())))
                .isEqualTo(RmError.NORESOURCE);
        assertThat(guest.error(MessageId.IPA_RESERVE, new IpaReserve(0, 0, places.subList(0, 30), List.of())))
                .isEqualTo(RmError.OK);
    }

    @Test
    void aParcelHasAtMostSoManyRegions() {
        assertThat(RmProfile.strict().regionsPerParcel()).isEqualTo(1 << 20);
        RmProfile s = RmProfile.strict();
        host = new HostClient(new RmProfile(s.firstVmid(), s.endVmid(), s.hostVirqs(), s.guestVirqs(), s.rootVirqs(),
                s.parcelsPerOwner(), 600, s.maxVcpus(), s.notificationLimit(), s.pendingLimit(), s.hostCaps(), false));
        host.call(MessageId.VM_ALLOC_VMID, new VmRequest(0));
        int handle = new WireReader(host.call(MessageId.MEM_LEND, parcel(pages(0, 512), ParcelCreate.MORE_FOLLOWS))
                .body()).u32();

        assertThat(host.error(MessageId.MEM_APPEND, new ParcelAppend(handle, 0, pages(512, 89))))
                .isEqualTo(RmError.DENIED);
        assertThat(host.error(MessageId.MEM_APPEND, new ParcelAppend(handle, ParcelAppend.LAST, pages(512, 88))))
                .as("nothing of the append that failed is left").isEqualTo(RmError.OK);
        assertThat(host.error(MessageId.MEM_RECLAIM, new ParcelReturn(handle, 0))).isEqualTo(RmError.OK);
    }

    @Test
    void addressesEndAt36BitsInAGuestAndAt44InAParcel() {
        int id = host.configure(GuestTrees.guest(1), IMAGES + images++ * (long) HostClient.IMAGE_SIZE, 0);
        assertThat(host.error(MessageId.VM_SET_ADDRESS_LAYOUT, new AddressLayout(id, 0, IPA_END - 0x3000, 0x4000)))
                .isEqualTo(RmError.ARGUMENT_INVALID);
        assertThat(host.error(MessageId.VM_SET_ADDRESS_LAYOUT, new AddressLayout(id, 0, IPA_END - 0x4000, 0x4000)))
                .isEqualTo(RmError.OK);
        assertThat(host.error(MessageId.MEM_LEND, parcel(List.of(new MemRange(1L << 44, PAGE)), 0)))
                .isEqualTo(RmError.ARGUMENT_INVALID);
        assertThat(host.error(MessageId.MEM_LEND, parcel(List.of(new MemRange((1L << 44) - PAGE, PAGE)), 0)))
                .as("not its own").isEqualTo(RmError.MEM_INVALID);
        DtNode tree = GuestTrees.guest(1);
        tree.find("/gunyah-vm-config/memory").orElseThrow().cells64("base-address", IPA_END);
        assertThat(init(tree)).isEqualTo(RmError.ARGUMENT_INVALID);
    }

    @Test
    void namesHave79BytesAndCrashMessages192() {
        assertThat(init(named("n".repeat(79)))).isEqualTo(RmError.OK);
        assertThat(init(named("n".repeat(80)))).isEqualTo(RmError.ARGUMENT_INVALID);
        assertThat(host.error(MessageId.VM_LOOKUP_NAME, new TextRequest(new byte[79]))).isEqualTo(RmError.OK);
        assertThat(host.error(MessageId.VM_LOOKUP_NAME, new TextRequest(new byte[80])))
                .isEqualTo(RmError.ARGUMENT_INVALID);

        int id = host.running(GuestTrees.linked("a"), IMAGES + images * (long) HostClient.IMAGE_SIZE);
        byte[] text = new byte[200];
        Arrays.fill(text, (byte) 'c');
        assertThat(host.guest(id).error(MessageId.VM_SET_CRASH_MSG, new TextRequest(text))).isEqualTo(RmError.OK);
        byte[] kept = host.call(MessageId.VM_GET_CRASH_MSG, new VmRequest(id)).body();
        assertThat(new WireReader(kept).u16()).isEqualTo(192);
        assertThat(kept).hasSize(4 + 192).endsWith('c', 'c');
    }

    private static DtNode named(String name) {
        DtNode tree = GuestTrees.guest(1);
        tree.find("/gunyah-vm-config").orElseThrow().strings("image-name", name);
        return tree;
    }

    @Test
    void onlyAVmOfAStaticVmidSetsItsStatus() {
        HostClient dynamic = host.guest(host.running(GuestTrees.linked("a"), IMAGES));
        assertThat(dynamic.error(MessageId.VM_SET_STATUS, new StatusUpdate(1, 2))).isEqualTo(RmError.DENIED);
        int id = vmid(9);
        host.write(MEMORY, GuestTrees.blob(GuestTrees.linked("b")));
        int handle = host.create(MessageId.MEM_LEND, 0, MEMORY, HostClient.IMAGE_SIZE, new AclEntry(id, 7));
        assertThat(host.error(MessageId.VM_CONFIG_IMAGE,
                new ConfigImage(id, 0, handle, 0, 0, 0, HostClient.IMAGE_SIZE))).isEqualTo(RmError.OK);
        assertThat(host.error(MessageId.VM_INIT, id)).isEqualTo(RmError.OK);
        assertThat(host.error(MessageId.VM_START, id)).isEqualTo(RmError.OK);

        assertThat(host.guest(id).error(MessageId.VM_SET_STATUS, new StatusUpdate(4, 2))).isEqualTo(RmError.OK);

        assertThat(host.call(MessageId.VM_GET_STATE, new VmRequest(id)).body()).containsExactly(3, 4, 2, 0);
    }

    @Test
    void cspacesHold1024CapabilitiesAndAFullOneFailsTheVm() {
        assertThat(host.cspace.maxCaps).isEqualTo(1024);
        int id = host.running(GuestTrees.linked("a"), IMAGES);
        assertThat(host.hyp.cspace(id).maxCaps).isEqualTo(1024);
        int taken = host.cspace.caps.size();
        host.cspace.maxCaps = taken + 1;

        images = 1;
        assertThat(init(GuestTrees.guest(1))).isEqualTo(RmError.DENIED);

        assertThat(host.error(MessageId.VM_RESET, id + 1)).isEqualTo(RmError.OK);
        assertThat(host.cspace.caps).hasSize(taken);
    }

    @Test
    void queuesAre8MessagesOf240BytesWhenTheTreeSaysNothing() {
        DtNode tree = scheduled(1);
        GuestTrees.devices(tree).add("q").strings("vdevice-type", "message-queue-pair").flag("peer-default")
                .cells("label", 1);
        assertThat(init(tree)).isEqualTo(RmError.OK);
        List<FakeHypervisor.Obj> queues = host.hyp.all(ObjectType.MSGQUEUE);
        assertThat(queues).hasSize(4).allMatch(q -> q.depth == 8 && q.messageSize == 240);
    }

    @Test
    void of300UnreadNoticesThe256LatestAreKept() {
        HostClient guest = host.guest(host.running(GuestTrees.linked("a"), IMAGES));
        host.received.clear();
        int handle = host.create(MessageId.MEM_LEND, 0, MEMORY, PAGE, new AclEntry(128, 7));
        assertThat(guest.error(MessageId.MEM_ACCEPT, new ParcelAccept(handle, 0, 1, 128, 0, List.of(),
                List.of(), 0, List.of()))).isEqualTo(RmError.OK);
        host.received.clear();
        for (int i = 0; i < 300; i++) {
            assertThat(guest.error(MessageId.MEM_NOTIFY, new ParcelNotify(handle,
                    ParcelNotify.ACCEPTED, 0, List.of()))).isEqualTo(RmError.OK);
        }

        host.read();

        List<RmMessage> news = host.received.stream().filter(m -> m.type() == PacketType.NOTIFICATION).toList();
        int inQueue = 8;
        assertThat(news).as("those in the queue, one being sent, and the latest").hasSizeBetween(256, 256 + inQueue + 1);
        assertThat(news).extracting(RmMessage::sequence).isSorted();
        assertThat(news.getLast().sequence() - news.get(news.size() - 256).sequence()).isEqualTo(255);
    }
}
