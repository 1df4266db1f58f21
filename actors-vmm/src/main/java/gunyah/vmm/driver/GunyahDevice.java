package gunyah.vmm.driver;

import akka.actor.typed.ActorRef;
import akka.actor.typed.ActorSystem;
import akka.actor.typed.Props;
import gunyah.hyp.HypercallPort;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The device /dev/gunyah: exists once the hypervisor was identified and the Resource Manager's queues are connected
 * (v17 5 and 8/35). Makes VMs and guest memory files. Thread safe.
 */
public final class GunyahDevice {
    private static final Logger LOG = LoggerFactory.getLogger(GunyahDevice.class);
    /** UID c1d58fcd-a453-5fdb-9265-ce36673d5f14 as four little-endian words. */
    private static final int[] UID = {0xcd8fd5c1, 0xdb5f53a4, 0x36ce6592, 0x145f3d67};
    private static final int API_VERSION = 1;
    private static final int API_VERSION_MASK = 0x3fff;
    private static final int TX_BUFFER = 0;
    private static final int RX_BUFFER = 2048;

    private final ActorSystem<?> system;
    private final HypercallPort port;
    private final HostPages hostPages;
    private final RunQueue runQueue;
    private final InterruptTable interrupts;
    private final VmDirectory directory = new VmDirectory();
    private final RmClient rm;
    private final Executor worker;
    private final Duration stepLimit;
    private final ThreadLocal<Hvc> hvc;
    private volatile PlatformHooks platform = PlatformHooks.NONE;
    private final AtomicInteger vmCount = new AtomicInteger();

    private GunyahDevice(ActorSystem<?> system, HypercallPort port, HostTree tree, HostTree.RmNode node,
            RunQueue runQueue, InterruptTable interrupts, Executor worker, Duration stepLimit) {
        this.system = system;
        this.port = port;
        this.runQueue = runQueue;
        this.interrupts = interrupts;
        this.worker = worker;
        this.stepLimit = stepLimit;
        this.hvc = ThreadLocal.withInitial(() -> new Hvc(port));
        this.hostPages = new HostPages(port, tree.ramBase(), tree.ramSize());
        tree.reserved().forEach(range -> hostPages.reserve(range.address(), range.size()));
        long buffers = hostPages.allocatePage();
        if (buffers < 0) {
            throw new GunyahError(Errno.ENOMEM, "the host has no memory for the Resource Manager's messages");
        }
        RmTransport transport = new RmTransport(port, node.txCap(), node.rxCap(), buffers + TX_BUFFER,
                buffers + RX_BUFFER, directory);
        ActorRef<RmLink.Command> link = system.systemActorOf(RmLink.create(transport), "host-rm-link", Props.empty());
        this.rm = new RmClient((id, payload, reply) -> link.tell(new RmLink.Call(id, payload, reply)));
        if (!interrupts.request(node.txIntid(), () -> link.tell(RmLink.Interrupt.TX))
                || !interrupts.request(node.rxIntid(), () -> link.tell(RmLink.Interrupt.RX))) {
            throw new GunyahError(Errno.EINVAL, "the Resource Manager's interrupts %d and %d".formatted(
                    node.txIntid(), node.rxIntid()));
        }
        // What came before the handler was there has raised its interrupt in vain.
        link.tell(RmLink.Interrupt.RX);
    }

    /**
     * Identifies the hypervisor and connects to the Resource Manager.
     *
     * @throws GunyahError ENODEV for another hypervisor, another API version or a missing RM node
     */
    static GunyahDevice probe(ActorSystem<?> system, HypercallPort port, HostTree tree, RunQueue runQueue,
            InterruptTable interrupts, Executor worker, Duration stepLimit) {
        Hvc calls = new Hvc(port);
        calls.uid();
        for (int i = 0; i < UID.length; i++) {
            if ((int) calls.x[i] != UID[i]) {
                throw new GunyahError(Errno.ENODEV, "the hypervisor is not Gunyah");
            }
        }
        long version = calls.identify() & API_VERSION_MASK;
        if (version != API_VERSION) {
            LOG.error("Gunyah API version {} is not supported, only {}", version, API_VERSION);
            throw new GunyahError(Errno.ENODEV, "Gunyah API version %d".formatted(version));
        }
        HostTree.RmNode node = tree.rm().orElseThrow(() -> new GunyahError(Errno.ENODEV,
                "the host device tree has no complete gunyah-resource-manager node"));
        return new GunyahDevice(system, port, tree, node, runQueue, interrupts, worker, stepLimit);
    }

    /** CREATE_VM. The name is for logs and people. */
    public GunyahVm createVm(String name) {
        GunyahVm vm = new GunyahVm(name, this);
        String actorName = "vm-%d-%s".formatted(vmCount.incrementAndGet(), name.replaceAll("[^A-Za-z0-9._-]", "_"));
        vm.attach(system.systemActorOf(VmActor.create(vm, rm, directory, worker, stepLimit), actorName,
                Props.empty()));
        return vm;
    }

    /**
     * CREATE_GUEST_MEM.
     *
     * @param size  bytes, a multiple of 4096
     * @param flags of {@link Uapi}
     * @throws GunyahError EINVAL
     */
    public GuestMemoryFile createGuestMemory(long size, long flags) {
        return new GuestMemoryFile(port, hostPages, size, flags);
    }

    /** Registers what the platform does when memory changes hands, in place of what was registered. */
    public void platform(PlatformHooks hooks) {
        platform = hooks;
    }

    PlatformHooks platform() {
        return platform;
    }

    /** {@return the VMID of the host, as RM knows it} */
    public CompletionStage<Integer> ownVmid() {
        return rm.ownVmid();
    }

    /** {@return host pages in use for guests and the driver} */
    public int usedHostPages() {
        return hostPages.usedPages();
    }

    /** {@return where slow work of the driver's clients runs} May block. */
    public Executor worker() {
        return worker;
    }

    Hvc hvc() {
        return hvc.get();
    }

    RunQueue runQueue() {
        return runQueue;
    }

    InterruptTable interrupts() {
        return interrupts;
    }
}
