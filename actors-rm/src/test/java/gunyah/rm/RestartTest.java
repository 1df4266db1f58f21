package gunyah.rm;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import gunyah.config.fdt.DtNode;
import gunyah.hyp.MachineState;
import gunyah.rm.root.RmProfile;
import gunyah.rm.root.RmTrace;
import gunyah.rm.rpc.AclEntry;
import gunyah.rm.rpc.BootContext;
import gunyah.rm.rpc.ConsoleText;
import gunyah.rm.rpc.ExitRequest;
import gunyah.rm.rpc.IrqAccept;
import gunyah.rm.rpc.IrqHandle;
import gunyah.rm.rpc.IrqLend;
import gunyah.rm.rpc.IrqNotify;
import gunyah.rm.rpc.MemRange;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.ParcelAppend;
import gunyah.rm.rpc.ParcelCreate;
import gunyah.rm.rpc.ParcelNotify;
import gunyah.rm.rpc.ParcelReturn;
import gunyah.rm.rpc.ParcelTransfer;
import gunyah.rm.rpc.Reply;
import gunyah.rm.rpc.ResourceType;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmMessage;
import gunyah.rm.rpc.StatusUpdate;
import gunyah.rm.rpc.StopRequest;
import gunyah.rm.rpc.VmRequest;
import gunyah.rm.rpc.VmState;
import gunyah.rm.rpc.WireReader;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/**
 * The Resource Manager meets a defect at a hypercall of the life of VMs that execute guest code, just before the call is
 * made or just after, and is restarted by its supervisor. Every request is answered; each VM works on and ends as usual,
 * or has ended with a reason that its owner was told; then the machine is what it was before: every object, capability,
 * mapping, queue and page. A VM that has nothing to do with it notices nothing. Each {@code gunyah.rm.restart-stride}-th
 * point is taken in turn; 1 takes all.
 */
@Tag("guest")
class RestartTest {
    private static final int STRIDE = Integer.getInteger("gunyah.rm.restart-stride", 41);
    private static final int FIRST = Integer.getInteger("gunyah.rm.restart-first", 1);
    private static final int MOST_BAD = 10;
    private static final long MEMORY = 0x4300_0000L;
    private static final long IRQ_LIMIT_NS = 10_000_000_000L;
    private static final int IRQ = 48;
    private static final int HOST = 3;
    private static final int RW = 6;
    private static final int RWX = 7;
    private static final Supplier<DtNode> ALONE = () -> Agent.tree("alone", 1);

    private final AtomicInteger restarts = new AtomicInteger();
    private final AtomicReference<FaultyPort> faulty = new AtomicReference<>();
    private RealHost host;
    private FaultyPort port;
    private Agent bystander;

    @BeforeAll
    static void silence() {
        ((Logger) LoggerFactory.getLogger("ROOT")).setLevel(Level.OFF);
    }

    @AfterAll
    static void speak() {
        ((Logger) LoggerFactory.getLogger("ROOT")).setLevel(Level.INFO);
    }

    @BeforeEach
    void boot() {
        RmTrace counter = new RmTrace() {
            @Override
            public void answered(int vmid, RmMessage request, Reply reply) {
                // What arrives is looked at.
            }

            @Override
            public void notified(int vmid, MessageId id) {
                // What arrives is looked at.
            }

            @Override
            public void state(int vmid, VmState state) {
                // What arrives is looked at.
            }

            @Override
            public void restarted() {
                restarts.incrementAndGet();
            }
        };
        host = new RealHost(3, 256L << 20, RmProfile.large(), counter, real -> {
            faulty.set(new FaultyPort(real));
            return faulty.get();
        });
        port = faulty.get();
        bystander = new Agent(host, Agent.tree("bystander", 0), 0x4700_0000L);
        bystander.start();
        bystander.run();
    }

    @AfterEach
    void stop() {
        host.close();
    }

    /** A kind of life. */
    private interface Scene {
        /** What must be there before. */
        default void prepare(Life life) {
            // Nothing.
        }

        /** What happens while the Resource Manager may fail; every step is tried, whatever became of those before. */
        void act(Life life);
    }

    private void atEveryPoint(String name, Scene scene) {
        MachineState before = calm(scene);
        int all = port.calls();
        live(scene, 0, true);
        awaitSame(before, name);
        int points = 0;
        int hits = 0;
        List<String> bad = new ArrayList<>();
        for (int point = FIRST; point <= 2 * all && bad.size() < MOST_BAD; point += STRIDE) {
            points++;
            try {
                String hit = live(scene, (point + 1) / 2, point % 2 == 1);
                hits += hit == null ? 0 : 1;
                awaitSame(before, "%s".formatted(hit));
                Life.use(bystander);
            } catch (AssertionError | RuntimeException failed) {
                bad.add("call %d of %d, %s: %s".formatted((point + 1) / 2, all, port.disarm(), failed));
                stop();
                boot();
                before = calm(scene);
            }
        }
        System.out.printf("%s: %d hypercalls, failed at %d of %d points%n", name, all, hits, points);
        assertThat(bad).as(name).isEmpty();
        assertThat(hits).isPositive();
    }

    /** Lives twice without a defect. {@return what the machine is afterwards} */
    private MachineState calm(Scene scene) {
        live(scene, 0, true);
        live(scene, 0, true);
        Life.use(bystander);
        Life.use(bystander);
        return atRest();
    }

    /** {@return where the Resource Manager failed, or null} */
    private String live(Scene scene, int call, boolean before) {
        host.forget();
        restarts.set(0);
        Life life = new Life(host);
        assertThat(life.tries(() -> scene.prepare(life))).as("%s", life.refusals()).isTrue();
        port.arm(call, before);
        scene.act(life);
        String hit = port.disarm();
        if (hit == null) {
            assertThat(life.refusals()).isEmpty();
        }
        assertThat(restarts.get()).as("restarts, %s", hit).isEqualTo(hit == null ? 0 : 1);
        life.end();
        return hit;
    }

    // The Resource Manager looks into a queue once more when it has answered what was in it.
    private MachineState atRest() {
        MachineState state = host.hypervisor.state();
        for (int same = 0; same < 20;) {
            MachineState next = host.hypervisor.state();
            same = next.equals(state) ? same + 1 : 0;
            state = next;
        }
        return state;
    }

    private void awaitSame(MachineState before, String what) {
        long deadline = System.nanoTime() + RealHost.LIMIT_SECONDS * 1_000_000_000L;
        List<String> difference = before.difference(host.hypervisor.state());
        while (!difference.isEmpty() && System.nanoTime() < deadline) {
            Thread.onSpinWait();
            difference = before.difference(host.hypervisor.state());
        }
        assertThat(difference).as(what).isEmpty();
    }

    private static AclEntry to(int vmid, int rights) {
        return new AclEntry(vmid, rights);
    }

    @Test
    void whileAVmIsMadeAndStarted() {
        atEveryPoint("making", life -> {
            life.tries(() -> {
                Agent vm = life.agent(() -> new Agent(host, ALONE.get(), 0x4400_0000L));
                vm.start();
                vm.run();
                Life.use(vm);
            });
        });
    }

    @Test
    void whileADriverMakesAVmWithLentPages() {
        atEveryPoint("paging", life -> life.tries(() -> {
            PagedGuest guest = life.paged();
            guest.configure(GuestTrees.guest(1));
            // SYSTEM_OFF
            host.port.write(PagedGuest.PAGE, HexFormat.of().parseHex("00018052" + "0080b072" + "020000d4"), 0, 12);
            host.ok(MessageId.VM_SET_BOOT_CONTEXT,
                    new BootContext(guest.vmid, BootContext.SET_PC, 0, PagedGuest.PAGE_IPA));
            guest.start();
            guest.lendAPage();
            try {
                assertThat(guest.run()).startsWith(0, 2);
                host.await(MessageId.VM_EXITED, payload -> true);
            } finally {
                guest.takePageBack();
                guest.takeTreeBack();
            }
        }));
    }

    private final class Parcels implements Scene {
        private Agent vm;
        private int held;

        @Override
        public void prepare(Life life) {
            vm = life.agent(() -> new Agent(host, ALONE.get(), 0x4400_0000L));
            vm.start();
            vm.run();
        }

        @Override
        public void act(Life life) {
            life.tries(() -> lend(life));
            life.tries(() -> share(life));
            held = -1;
            life.tries(() -> donate(life));
            if (held >= 0) {
                // What the primary VM was not let go of it gives back once more.
                host.request(MessageId.MEM_RELEASE, new ParcelReturn(held, 0));
            }
            life.tries(() -> refused(life));
        }

        private void lend(Life life) {
            int handle = life.parcel(MessageId.MEM_LEND, ParcelCreate.SANITISE, 5, List.of(to(vm.vmid, RWX)),
                    new MemRange(MEMORY, 0x2000), new MemRange(MEMORY + 0x4000, 0x1000));
            long ipa = Life.accept(vm, handle, ParcelTransfer.LEND);
            assertThat(vm.store(ipa, 0x55)).isTrue();
            Life.ok(vm, MessageId.MEM_RELEASE, new ParcelReturn(handle, ParcelReturn.SANITISE));
            host.ok(MessageId.MEM_RECLAIM, new ParcelReturn(handle, 0));
            assertThat(host.read(MEMORY)).isZero();
        }

        private void share(Life life) {
            int handle = life.parcel(MessageId.MEM_SHARE, ParcelCreate.MORE_FOLLOWS, 5,
                    List.of(to(HOST, RW), to(vm.vmid, RW)), new MemRange(MEMORY, 0x1000));
            host.ok(MessageId.MEM_APPEND,
                    new ParcelAppend(handle, ParcelAppend.LAST, List.of(new MemRange(MEMORY + 0x2000, 0x2000))));
            host.ok(MessageId.MEM_NOTIFY, new ParcelNotify(handle, ParcelNotify.SHARED, 9, List.of(vm.vmid)));
            long ipa = Life.accept(vm, handle, ParcelTransfer.SHARE);
            Life.ok(vm, MessageId.MEM_NOTIFY, new ParcelNotify(handle, ParcelNotify.ACCEPTED, 9, List.of()));
            host.await(MessageId.MEM_ACCEPTED, payload -> true);
            assertThat(vm.store(ipa + 8, 0x66)).isTrue();
            assertThat(host.read(MEMORY + 8)).isEqualTo(0x66);
            Life.ok(vm, MessageId.MEM_RELEASE, new ParcelReturn(handle, 0));
            Life.ok(vm, MessageId.MEM_NOTIFY, new ParcelNotify(handle, ParcelNotify.RELEASED, 9, List.of()));
            host.await(MessageId.MEM_RELEASED, payload -> true);
            host.ok(MessageId.MEM_RECLAIM, new ParcelReturn(handle, 0));
        }

        private void donate(Life life) {
            int given = life.parcel(MessageId.MEM_DONATE, 0, 5, List.of(to(vm.vmid, RWX)),
                    new MemRange(MEMORY + 0x10_0000, 0x2000), new MemRange(MEMORY + 0x10_4000, 0x1000));
            long ipa = Life.accept(vm, given, ParcelTransfer.DONATE);
            assertThat(vm.store(ipa, 0x77)).isTrue();
            int lent = Life.ok(vm, MessageId.MEM_LEND, new ParcelCreate(0, 0, 5, List.of(to(HOST, RW)),
                    List.of(new MemRange(ipa, 0x1000)), List.of())).u32();
            held = lent;
            long at = new WireReader(host.ok(MessageId.MEM_ACCEPT,
                    Life.acceptance(lent, ParcelTransfer.LEND, List.of()))).skip(4).u64();
            assertThat(host.read(at)).isEqualTo(0x77);
            host.ok(MessageId.MEM_RELEASE, new ParcelReturn(lent, 0));
            Life.ok(vm, MessageId.MEM_RECLAIM, new ParcelReturn(lent, 0));
            int back = Life.ok(vm, MessageId.MEM_DONATE, new ParcelCreate(0, 0, 5, List.of(to(HOST, RWX)),
                    List.of(new MemRange(ipa, 0x2000)), List.of())).u32();
            host.ok(MessageId.MEM_ACCEPT, Life.acceptance(back, ParcelTransfer.DONATE, List.of()));
        }

        // Changes that are undone half way are undone whole, also when that is interrupted.
        private void refused(Life life) {
            int first = life.parcel(MessageId.MEM_LEND, 0, 5, List.of(to(vm.vmid, RWX)),
                    new MemRange(MEMORY + 0x20_0000, 0x1000), new MemRange(MEMORY + 0x20_2000, 0x1000));
            RmError error = host.error(MessageId.MEM_LEND, new ParcelCreate(0, 0, 5, List.of(to(vm.vmid, RWX)),
                    List.of(new MemRange(MEMORY + 0x20_4000, 0x1000), new MemRange(MEMORY + 0x20_0000, 0x1000)),
                    List.of()));
            assertThat(error).isIn(RmError.MEM_INVALID, RmError.DENIED);
            error = vm.error(MessageId.MEM_ACCEPT, Life.acceptance(first, ParcelTransfer.LEND,
                    List.of(new MemRange(0x1000_0000, 0x1000), new MemRange(GuestTrees.GICD, 0x1000))));
            assertThat(error).isNotEqualTo(RmError.OK);
            host.ok(MessageId.MEM_RECLAIM, new ParcelReturn(first, 0));
        }
    }

    @Test
    void whileParcelsChangeHands() {
        atEveryPoint("parcels", new Parcels());
    }

    private final class Ends implements Scene {
        private Agent stopped;
        private Agent leaving;
        private int heldByHost;

        @Override
        public void prepare(Life life) {
            stopped = life.agent(() -> new Agent(host, Agent.tree("stopped", 1), 0x4400_0000L));
            leaving = life.agent(() -> new Agent(host, Agent.tree("leaving", 2), 0x4500_0000L));
            for (Agent vm : List.of(stopped, leaving)) {
                vm.start();
                vm.run();
            }
            int given = life.parcel(MessageId.MEM_DONATE, 0, 5, List.of(to(stopped.vmid, RWX)),
                    new MemRange(MEMORY + 0x10_0000, 0x3000), new MemRange(MEMORY + 0x10_4000, 0x1000));
            long ipa = Life.accept(stopped, given, ParcelTransfer.DONATE);
            heldByHost = lend(ipa, HOST);
            host.ok(MessageId.MEM_ACCEPT, Life.acceptance(heldByHost, ParcelTransfer.LEND, List.of()));
            lend(ipa + 0x1000, HOST);
            int lent = life.parcel(MessageId.MEM_LEND, 0, 5, List.of(to(stopped.vmid, RWX)),
                    new MemRange(MEMORY, 0x2000), new MemRange(MEMORY + 0x4000, 0x1000));
            Life.accept(stopped, lent, ParcelTransfer.LEND);
        }

        private int lend(long ipa, int vmid) {
            return Life.ok(stopped, MessageId.MEM_LEND, new ParcelCreate(0, 0, 5, List.of(to(vmid, RW)),
                    List.of(new MemRange(ipa, 0x1000)), List.of())).u32();
        }

        @Override
        public void act(Life life) {
            life.tries(() -> host.ok(MessageId.VM_STOP, new StopRequest(stopped.vmid, 1, 3)));
            life.tries(() -> {
                try {
                    leaving.request(MessageId.VM_EXIT, new ExitRequest(0, 0));
                } catch (RealHost.Ended asked) {
                    // The answer may find nobody any more.
                    assertThat(asked).isNotNull();
                }
            });
            for (Agent vm : List.of(stopped, leaving)) {
                life.tries(() -> {
                    host.await(MessageId.VM_EXITED, payload -> payload[0] == (byte) vm.vmid);
                    host.ok(MessageId.VM_RESET, new VmRequest(vm.vmid));
                    host.awaitState(vm.vmid, VmState.RESET);
                });
            }
            life.tries(() -> host.ok(MessageId.MEM_RELEASE, new ParcelReturn(heldByHost, 0)));
            for (Agent vm : List.of(stopped, leaving)) {
                vm.handles().forEach(handle ->
                        life.tries(() -> host.ok(MessageId.MEM_RECLAIM, new ParcelReturn(handle, 0))));
            }
            life.tries(() -> host.ok(MessageId.VM_DEALLOC_VMID, new VmRequest(leaving.vmid)));
            host.request(MessageId.MEM_RELEASE, new ParcelReturn(heldByHost, 0));
        }
    }

    @Test
    void whileVmsEnd() {
        atEveryPoint("ends", new Ends());
    }

    private final class News implements Scene {
        private Agent vm;

        @Override
        public void prepare(Life life) {
            vm = life.agent(() -> new Agent(host, ALONE.get(), 0x4400_0000L));
            vm.start();
            vm.run();
            host.ok(MessageId.CONSOLE_OPEN, new VmRequest(vm.vmid));
            Life.ok(vm, MessageId.CONSOLE_OPEN, new VmRequest(0));
        }

        @Override
        public void act(Life life) {
            for (int i = 1; i <= 2; i++) {
                int status = i;
                life.tries(() -> {
                    Life.ok(vm, MessageId.VM_SET_STATUS, new StatusUpdate(4, status));
                    host.await(MessageId.VM_STATUS, payload -> new WireReader(payload).skip(4).u16() == status);
                });
                life.tries(() -> {
                    Life.ok(vm, MessageId.CONSOLE_WRITE, new ConsoleText(0, new byte[] {(byte) status}));
                    host.await(MessageId.CONSOLE_CHARS, payload -> true);
                });
                life.tries(() -> host.ok(MessageId.CONSOLE_WRITE, new ConsoleText(vm.vmid, new byte[300])));
            }
        }
    }

    @Test
    void whileItTellsNews() {
        atEveryPoint("news", new News());
    }

    private final class Lending implements Scene {
        private Agent vm;
        private int handle;

        @Override
        public void prepare(Life life) {
            vm = life.agent(() -> new Agent(host, ALONE.get(), 0x4400_0000L));
            vm.start();
            vm.run();
            vm.enable(IRQ);
        }

        @Override
        public void act(Life life) {
            life.tries(() -> {
                handle = new WireReader(host.ok(MessageId.VM_IRQ_LEND, new IrqLend(vm.vmid, IRQ, 7))).u32();
                host.ok(MessageId.VM_IRQ_NOTIFY, new IrqNotify(handle, IrqNotify.LENT, List.of(vm.vmid)));
                Life.ok(vm, MessageId.VM_IRQ_ACCEPT, new IrqAccept(handle, IrqAccept.ANY));
                Life.ok(vm, MessageId.VM_IRQ_NOTIFY, new IrqNotify(handle, IrqNotify.ACCEPTED, List.of()));
                host.await(MessageId.VM_IRQ_ACCEPTED, payload -> true);
                host.hypervisor.hardwareLine(IRQ).raise();
                assertThat(vm.awaitInterrupt()).isEqualTo(IRQ);
                host.hypervisor.hardwareLine(IRQ).lower();
            });
            life.tries(() -> {
                Life.ok(vm, MessageId.VM_IRQ_RELEASE, new IrqHandle(handle));
                Life.ok(vm, MessageId.VM_IRQ_NOTIFY, new IrqNotify(handle, IrqNotify.RELEASED, List.of()));
                host.await(MessageId.VM_IRQ_RELEASED, payload -> true);
            });
            life.tries(() -> host.ok(MessageId.VM_IRQ_RECLAIM, new IrqHandle(handle)));
            // Whatever was refused: released again it can be reclaimed, and the primary VM has its interrupt.
            vm.request(MessageId.VM_IRQ_RELEASE, new IrqHandle(handle));
            host.request(MessageId.VM_IRQ_RECLAIM, new IrqHandle(handle));
            host.fired.remove(IRQ);
            host.hypervisor.hardwareLine(IRQ).raise();
            long deadline = System.nanoTime() + IRQ_LIMIT_NS;
            while (!host.fired.contains(IRQ)) {
                assertThat(System.nanoTime() - deadline).as("the interrupt at the primary VM").isNegative();
                Thread.onSpinWait();
            }
            host.hypervisor.hardwareLine(IRQ).lower();
        }
    }

    @Test
    void whileAnInterruptIsLent() {
        atEveryPoint("interrupt", new Lending());
    }

    private final class Joined implements Scene {
        private static final int BELL = 22;
        private static final long SHARED_IPA = 0x9100_0000L;

        private DtNode tree(String name, String peer, int cpu) {
            DtNode root = Agent.tree(name, cpu);
            DtNode devices = GuestTrees.devices(root);
            device(devices, "queues", "message-queue-pair", peer).cells("message-size", 64).cells("queue-depth", 4);
            device(devices, "ring", name.equals("a") ? "doorbell-source" : "doorbell", peer);
            devices.add("buffer").strings("vdevice-type", "shm").strings("generate", "/hypervisor/buffer")
                    .cells("label", BELL).flag("peer-default")
                    .add("memory").cells("label", BELL).cells64("base", SHARED_IPA);
            return root;
        }

        private DtNode device(DtNode devices, String name, String type, String peer) {
            return devices.add(name).strings("vdevice-type", type).strings("generate", "/hypervisor/" + name)
                    .cells("label", BELL).strings("peer", "vm-name:" + peer);
        }

        @Override
        public void act(Life life) {
            List<Agent> both = new ArrayList<>();
            for (String name : List.of("a", "b")) {
                boolean first = name.equals("a");
                life.tries(() -> both.add(life.agent(() -> new Agent(host, tree(name, first ? "b" : "a", first ? 1 : 2),
                        first ? 0x4400_0000L : 0x4500_0000L))));
            }
            List<AclEntry> acl = new ArrayList<>(List.of(to(HOST, RW)));
            both.forEach(vm -> acl.add(to(vm.vmid, RW)));
            life.tries(() -> life.parcel(MessageId.MEM_SHARE, 0, BELL, acl, new MemRange(MEMORY, 0x1000)));
            both.forEach(vm -> life.tries(vm::start));
            both.forEach(vm -> life.tries(vm::run));
            if (life.refusals().isEmpty()) {
                life.tries(() -> talk(both.getFirst(), both.getLast()));
            }
        }

        private void talk(Agent from, Agent to) {
            assertThat(from.call(0x12, from.capability("qcom,gunyah-doorbell-source", BELL), 1)[0]).isZero();
            assertThat(to.call(0x13, to.capability("qcom,gunyah-doorbell", BELL), -1)).startsWith(0, 1);
            assertThat(from.store(SHARED_IPA, 0x88)).isTrue();
            assertThat(to.load(SHARED_IPA)).contains(0x88L);
        }
    }

    @Test
    void whileTwoVmsAreJoined() {
        atEveryPoint("joined", new Joined());
    }
}
