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
import gunyah.rm.rpc.ConfigImage;
import gunyah.rm.rpc.DemandPaging;
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
import gunyah.rm.rpc.VmRequest;
import gunyah.rm.rpc.VmState;
import gunyah.rm.rpc.VmStatus;
import gunyah.rm.rpc.WireReader;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** The real hypervisor with the Resource Manager, and a Java host that uses true queues and hypercalls. */
abstract class OnRealHypervisor {
    static final long PARCEL = 0x4200_0000L;
    static final long PARCEL_SIZE = 0x4000;
    static final long PAGE = 0x4210_0000L;
    static final long BUFFER = 0x4220_0000L;
    static final long DTB_GPA = 0x8000_0000L;
    static final int DONATE = 0x61;
    static final int MAP = 0x2b;
    static final int UNMAP = 0x2c;

    private final ActorTestKit kit = ActorTestKit.create("rm-on-hypervisor", ConfigFactory.load());
    private final CompletableFuture<HypercallPort> booted = new CompletableFuture<>();
    private final CompletableFuture<Long> tree = new CompletableFuture<>();
    final BlockingQueue<Integer> interrupts = new LinkedBlockingQueue<>();
    private final CompletableFuture<VcpuWork.Context> vcpu0 = new CompletableFuture<>();
    private final BlockingQueue<Runnable> tasks = new LinkedBlockingQueue<>();
    private final BlockingQueue<RmMessage> received = new LinkedBlockingQueue<>();
    /** All messages in the order they came. */
    final List<RmMessage> arrived = new ArrayList<>();
    private final Reassembler reassembler = new Reassembler();
    Hypervisor hypervisor;
    HypercallPort port;
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

    final long[] call(int number, long... arguments) {
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
            reassembler.accept(packet, (int) x[1]).ifPresent(message -> {
                received.add(message);
                arrived.add(message);
            });
        }
    }

    final RmMessage await(int type, int id, int number) throws InterruptedException {
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

    final Reply request(MessageId id, Payload payload) throws InterruptedException {
        int number = sequence++;
        for (byte[] packet : Fragmenter.split(new RmMessage(PacketType.REQUEST, number, id.id(), payload.encode()))) {
            port.write(BUFFER, packet, 0, packet.length);
            assertThat(call(0x1b, tx, packet.length, BUFFER, 1)[0]).isZero();
        }
        return Reply.decode(await(PacketType.REPLY.ordinal(), id.id(), number).payload());
    }

    final void ok(MessageId id, Payload payload) throws InterruptedException {
        assertThat(request(id, payload).error()).as(id.name()).contains(RmError.OK);
    }

    final void awaitState(VmState state) throws InterruptedException {
        VmStatus status;
        do {
            status = VmStatus.decode(await(PacketType.NOTIFICATION.ordinal(), MessageId.VM_STATUS.id(), -1).payload());
        } while (VmState.of(status.state()) != state);
    }

    static long cap(List<HypResource> resources, ResourceType type, int label) {
        return resources.stream().filter(r -> r.type() == type.value() && r.label() == label).findFirst().orElseThrow()
                .capId();
    }

    /** A VM whose tree this is, configured and initialized. {@return its VMID} */
    final int configure(DtNode guest) throws InterruptedException {
        byte[] blob = GuestTrees.blob(guest);
        port.write(PARCEL, blob, 0, blob.length);
        int vmid = new WireReader(request(MessageId.VM_ALLOC_VMID, new VmRequest(0)).body()).u16();
        int handle = new WireReader(request(MessageId.MEM_LEND, new ParcelCreate(0, 0, 0,
                List.of(new AclEntry(vmid, 7)), List.of(new MemRange(PARCEL, PARCEL_SIZE)), List.of())).body()).u32();
        assertThatThrownBy(() -> port.write(PARCEL, blob, 0, 1)).isInstanceOf(ExternalAbort.class);
        ok(MessageId.VM_CONFIG_IMAGE, new ConfigImage(vmid, 0, handle, 0, 0, 0, PARCEL_SIZE));
        ok(MessageId.VM_SET_DEMAND_PAGING, new DemandPaging(vmid, List.of(new MemRange(DTB_GPA, 0x1000_0000))));
        ok(MessageId.VM_SET_ADDRESS_LAYOUT, new AddressLayout(vmid, 0, DTB_GPA, PARCEL_SIZE));
        ok(MessageId.VM_INIT, new VmRequest(vmid));
        return vmid;
    }

    final List<HypResource> resources(int vmid) throws InterruptedException {
        return HypResource.decode(request(MessageId.VM_GET_HYP_RESOURCES, new VmRequest(vmid)).body());
    }

    /** {@return what a vCPU stops with, run by the primary VM's first vCPU} */
    final long[] run(long vcpu) throws Exception {
        return running(vcpu).get(20, TimeUnit.SECONDS);
    }

    /** Lets the primary VM's first vCPU run another. {@return what it will stop with} */
    final CompletableFuture<long[]> running(long vcpu) throws Exception {
        CompletableFuture<long[]> stopped = new CompletableFuture<>();
        tasks.add(() -> runUntilItStops(vcpu, stopped));
        vcpu0.get(20, TimeUnit.SECONDS).wake();
        return stopped;
    }

    private void runUntilItStops(long vcpu, CompletableFuture<long[]> stopped) {
        long[] x = call(0x65, vcpu);
        if (x[0] == 0 && x[1] == 0) {
            tasks.add(() -> runUntilItStops(vcpu, stopped));
        } else {
            stopped.complete(x);
        }
    }

    final void lendAPage(long space, long from, long to) {
        assertThat(call(DONATE, 3, from, to, PAGE, 0x1000)[0]).isZero();
        assertThat(call(MAP, space, to, DTB_GPA + 0x10_0000, 0xf_0077, 3, PAGE, 0x1000)[0]).isZero();
        assertThatThrownBy(() -> port.write(PAGE, new byte[1], 0, 1)).isInstanceOf(ExternalAbort.class);
    }

    final void takeBack(long space, long from, long to, long ipa, long page) {
        assertThat(call(UNMAP, space, from, ipa, 3, page, 0x1000)[0]).isZero();
        assertThat(call(DONATE, 4, from, to, page, 0x1000)[0]).isZero();
        port.write(page, new byte[] {3}, 0, 1);
    }
}
