package gunyah.rm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import akka.actor.testkit.typed.javadsl.ActorTestKit;
import com.typesafe.config.ConfigFactory;
import gunyah.config.MachineConfig;
import gunyah.config.fdt.DtNode;
import gunyah.config.fdt.Fdt;
import gunyah.hyp.Hypervisor;
import gunyah.hyp.HypercallPort;
import gunyah.hyp.HypercallPort.ExternalAbort;
import gunyah.hyp.VcpuWork;
import gunyah.rm.root.RmProfile;
import gunyah.rm.rpc.AclEntry;
import gunyah.rm.rpc.AddressLayout;
import gunyah.rm.rpc.BootContext;
import gunyah.rm.rpc.ConfigImage;
import gunyah.rm.rpc.DemandPaging;
import gunyah.rm.rpc.ExitType;
import gunyah.rm.rpc.Fragmenter;
import gunyah.rm.rpc.HypResource;
import gunyah.rm.rpc.MemRange;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.PacketType;
import gunyah.rm.rpc.ParcelCreate;
import gunyah.rm.rpc.Payload;
import gunyah.rm.rpc.Reassembler;
import gunyah.rm.rpc.Reply;
import gunyah.rm.rpc.ResourceType;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmMessage;
import gunyah.rm.rpc.StopRequest;
import gunyah.rm.rpc.VmExited;
import gunyah.rm.rpc.VmRequest;
import gunyah.rm.rpc.VmState;
import gunyah.rm.rpc.VmStatus;
import gunyah.rm.rpc.WireReader;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The Resource Manager on the real hypervisor, driven by a Java host through true queues and hypercalls. */
class RealHypervisorTest {
    private static final long PARCEL = 0x4200_0000L;
    private static final long PARCEL_SIZE = 0x4000;
    private static final long PAGE = 0x4210_0000L;
    private static final long BUFFER = 0x4220_0000L;
    private static final long DTB_GPA = 0x8000_0000L;
    private static final int DONATE = 0x61;
    private static final int MAP = 0x2b;
    private static final int UNMAP = 0x2c;

    private final ActorTestKit kit = ActorTestKit.create("rm-on-hypervisor", ConfigFactory.load());
    private final CompletableFuture<HypercallPort> booted = new CompletableFuture<>();
    private final CompletableFuture<Long> tree = new CompletableFuture<>();
    private final BlockingQueue<Integer> interrupts = new LinkedBlockingQueue<>();
    private final CompletableFuture<VcpuWork.Context> vcpu0 = new CompletableFuture<>();
    private final BlockingQueue<Runnable> tasks = new LinkedBlockingQueue<>();
    private final BlockingQueue<RmMessage> received = new LinkedBlockingQueue<>();
    private final Reassembler reassembler = new Reassembler();
    private Hypervisor hypervisor;
    private HypercallPort port;
    private long tx;
    private long rx;
    private int sequence;

    private final class Host implements VcpuWork {
        @Override
        public void boot(Context context, long entry, long x0) {
            if (context.index() == 0) {
                vcpu0.complete(context);
                tree.complete(x0);
                booted.complete(context.port());
            }
        }

        @Override
        public Result run(Context context) {
            Runnable task = context.index() == 0 ? tasks.poll() : null;
            if (task == null) {
                return Result.IDLE;
            }
            task.run();
            return Result.MORE;
        }
    }

    @BeforeEach
    void bootMachine() throws Exception {
        hypervisor = Hypervisor.start(kit.system(), new MachineConfig(2, 256L << 20, 5_000_000), System::nanoTime,
                (vmid, index) -> Optional.of(new Host()),
                ResourceManager.program(behavior -> kit.spawn(behavior, "rm"), RmProfile.large(), () -> 42));
        port = booted.get(20, TimeUnit.SECONDS);
        port.onInterrupt(interrupts::add);
        byte[] blob = new byte[0x1_0000];
        port.read(tree.get(), blob, 0, blob.length);
        int[] reg = Fdt.parse(blob).root().find("/hypervisor/gunyah-resource-mgr").orElseThrow().cells("reg")
                .orElseThrow();
        tx = DtNode.number(reg, 0, 2);
        rx = DtNode.number(reg, 2, 2);
    }

    @AfterEach
    void stop() {
        hypervisor.close();
        kit.shutdownTestKit();
    }

    private long[] call(int number, long... arguments) {
        long[] x = new long[8];
        System.arraycopy(arguments, 0, x, 0, arguments.length);
        port.call(number, x);
        return x;
    }

    private void drain() {
        byte[] packet = new byte[Fragmenter.PACKET_SIZE];
        while (true) {
            long[] x = call(0x1c, rx, BUFFER, packet.length);
            if (x[0] != 0) {
                return;
            }
            port.read(BUFFER, packet, 0, (int) x[1]);
            reassembler.accept(packet, (int) x[1]).ifPresent(received::add);
        }
    }

    private RmMessage await(int type, int id, int number) throws InterruptedException {
        while (true) {
            drain();
            for (RmMessage message : received) {
                boolean wanted = message.type().ordinal() == type && message.messageId() == id;
                if (wanted && (number < 0 || message.sequence() == number)) {
                    received.remove(message);
                    return message;
                }
            }
            assertThat(interrupts.poll(20, TimeUnit.SECONDS)).as("an interrupt").isNotNull();
        }
    }

    private Reply request(MessageId id, Payload payload) throws InterruptedException {
        int number = sequence++;
        for (byte[] packet : Fragmenter.split(new RmMessage(PacketType.REQUEST, number, id.id(), payload.encode()))) {
            port.write(BUFFER, packet, 0, packet.length);
            assertThat(call(0x1b, tx, packet.length, BUFFER, 1)[0]).isZero();
        }
        return Reply.decode(await(PacketType.REPLY.ordinal(), id.id(), number).payload());
    }

    private void ok(MessageId id, Payload payload) throws InterruptedException {
        assertThat(request(id, payload).error()).as(id.name()).contains(RmError.OK);
    }

    private void awaitState(VmState state) throws InterruptedException {
        VmStatus status;
        do {
            status = VmStatus.decode(await(PacketType.NOTIFICATION.ordinal(), MessageId.VM_STATUS.id(), -1).payload());
        } while (VmState.of(status.state()) != state);
    }

    private static long cap(List<HypResource> resources, ResourceType type, int label) {
        return resources.stream().filter(r -> r.type() == type.value() && r.label() == label).findFirst().orElseThrow()
                .capId();
    }

    @Test
    void aGuestLivesThroughTheSequenceOfTheDriverAndAllItsMemoryComesBack() throws Exception {
        for (int round = 0; round < 2; round++) {
            int vmid = new WireReader(request(MessageId.VM_ALLOC_VMID, new VmRequest(0)).body()).u16();
            byte[] blob = GuestTrees.blob(GuestTrees.guest(2));
            port.write(PARCEL, blob, 0, blob.length);
            int handle = new WireReader(request(MessageId.MEM_LEND, new ParcelCreate(0, 0, 0,
                    List.of(new AclEntry(vmid, 7)), List.of(new MemRange(PARCEL, PARCEL_SIZE)), List.of())).body()).u32();
            assertThatThrownBy(() -> port.write(PARCEL, blob, 0, 1)).isInstanceOf(ExternalAbort.class);
            ok(MessageId.VM_CONFIG_IMAGE, new ConfigImage(vmid, 0, handle, 0, 0, 0, PARCEL_SIZE));
            ok(MessageId.VM_SET_DEMAND_PAGING, new DemandPaging(vmid, List.of(new MemRange(DTB_GPA, 0x1000_0000))));
            ok(MessageId.VM_SET_ADDRESS_LAYOUT, new AddressLayout(vmid, 0, DTB_GPA, PARCEL_SIZE));
            ok(MessageId.VM_INIT, new VmRequest(vmid));
            List<HypResource> resources =
                    HypResource.decode(request(MessageId.VM_GET_HYP_RESOURCES, new VmRequest(vmid)).body());
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
        byte[] blob = GuestTrees.blob(GuestTrees.guest(1));
        port.write(PARCEL, blob, 0, blob.length);
        port.write(PAGE, HexFormat.of().parseHex("00018052" + "0080b072" + "020000d4"), 0, 12);
        int vmid = new WireReader(request(MessageId.VM_ALLOC_VMID, new VmRequest(0)).body()).u16();
        int handle = new WireReader(request(MessageId.MEM_LEND, new ParcelCreate(0, 0, 0,
                List.of(new AclEntry(vmid, 7)), List.of(new MemRange(PARCEL, PARCEL_SIZE)), List.of())).body()).u32();
        ok(MessageId.VM_CONFIG_IMAGE, new ConfigImage(vmid, 0, handle, 0, 0, 0, PARCEL_SIZE));
        ok(MessageId.VM_SET_DEMAND_PAGING, new DemandPaging(vmid, List.of(new MemRange(DTB_GPA, 0x1000_0000))));
        ok(MessageId.VM_SET_ADDRESS_LAYOUT, new AddressLayout(vmid, 0, DTB_GPA, PARCEL_SIZE));
        ok(MessageId.VM_INIT, new VmRequest(vmid));
        ok(MessageId.VM_SET_BOOT_CONTEXT, new BootContext(vmid, BootContext.SET_PC, 0, DTB_GPA + 0x10_0000));
        List<HypResource> resources =
                HypResource.decode(request(MessageId.VM_GET_HYP_RESOURCES, new VmRequest(vmid)).body());
        ok(MessageId.VM_START, new VmRequest(vmid));
        lendAPage(cap(resources, ResourceType.ADDRSPACE, 0), cap(resources, ResourceType.MEMEXTENT, 2),
                cap(resources, ResourceType.MEMEXTENT, 0));

        long vcpu = cap(resources, ResourceType.VCPU, 0);
        CompletableFuture<long[]> off = new CompletableFuture<>();
        tasks.add(() -> runUntilOff(vcpu, off));
        vcpu0.get(20, TimeUnit.SECONDS).wake();

        assertThat(off.get(20, TimeUnit.SECONDS)).startsWith(0, 2);
        VmExited exit = VmExited.decode(
                await(PacketType.NOTIFICATION.ordinal(), MessageId.VM_EXITED.id(), -1).payload());
        assertThat(exit.vmid()).isEqualTo(vmid);
        assertThat(exit.type()).isEqualTo(ExitType.PLATFORM_OFF.ordinal());
        takeBack(cap(resources, ResourceType.ADDRSPACE, 0), cap(resources, ResourceType.MEMEXTENT, 0),
                cap(resources, ResourceType.MEMEXTENT, 2), DTB_GPA + 0x10_0000, PAGE);
        ok(MessageId.VM_RESET, new VmRequest(vmid));
        awaitState(VmState.RESET);
    }

    private void runUntilOff(long vcpu, CompletableFuture<long[]> off) {
        long[] x = call(0x65, vcpu);
        if (x[0] == 0 && x[1] == 0) {
            tasks.add(() -> runUntilOff(vcpu, off));
        } else {
            off.complete(x);
        }
    }

    private void lendAPage(long space, long from, long to) {
        assertThat(call(DONATE, 3, from, to, PAGE, 0x1000)[0]).isZero();
        assertThat(call(MAP, space, to, DTB_GPA + 0x10_0000, 0xf_0077, 3, PAGE, 0x1000)[0]).isZero();
        assertThatThrownBy(() -> port.write(PAGE, new byte[1], 0, 1)).isInstanceOf(ExternalAbort.class);
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

    private void takeBack(long space, long from, long to, long ipa, long page) {
        assertThat(call(UNMAP, space, from, ipa, 3, page, 0x1000)[0]).isZero();
        assertThat(call(DONATE, 4, from, to, page, 0x1000)[0]).isZero();
        port.write(page, new byte[] {3}, 0, 1);
    }
}
