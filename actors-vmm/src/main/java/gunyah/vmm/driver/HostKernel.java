package gunyah.vmm.driver;

import akka.actor.typed.ActorSystem;
import gunyah.hyp.HypercallPort;
import gunyah.hyp.VcpuWork;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The Java operating system of the primary VM. Its CPUs are the {@link VcpuWork} of the primary VM's vCPUs; CPU 0 boots:
 * reads the device tree RM left, turns the other CPUs on by PSCI, probes the Gunyah device.
 */
public final class HostKernel {
    private static final Logger LOG = LoggerFactory.getLogger(HostKernel.class);
    private static final Duration STEP_LIMIT = Duration.ofMinutes(1);

    private final ActorSystem<?> system;
    private final RunQueue runQueue = new RunQueue();
    private final InterruptTable interrupts = new InterruptTable();
    private final Executor worker = Executors.newThreadPerTaskExecutor(
            Thread.ofVirtual().name("gunyah-host-worker-", 0).factory());
    private final CompletableFuture<GunyahDevice> device = new CompletableFuture<>();

    /** @param system where the driver's actors live */
    public HostKernel(ActorSystem<?> system) {
        this.system = system;
    }

    /** Makes what one vCPU of the primary VM executes; every vCPU needs its own. */
    public VcpuWork newCpu() {
        return new HostCpu(this, runQueue);
    }

    /** {@return the device; fails with a {@link GunyahError} when the probe does} */
    public CompletionStage<GunyahDevice> device() {
        return device.minimalCompletionStage();
    }

    void booted(VcpuWork.Context cpu, long entry, long x0) {
        if (cpu.index() != 0) {
            return;
        }
        HypercallPort port = cpu.port();
        try {
            HostTree tree = HostTree.read(port, x0);
            port.onInterrupt(interrupts::raise);
            GunyahDevice probed = GunyahDevice.probe(system, port, tree, runQueue, interrupts, worker, STEP_LIMIT);
            startSecondaryCpus(port, tree, entry, x0);
            device.complete(probed);
        } catch (RuntimeException e) {
            LOG.error("the host found no Gunyah: {}", e.getMessage());
            device.completeExceptionally(e);
        }
    }

    /** A CPU that is on already, or that the hypervisor turned on itself, refuses; that is no error. */
    private static void startSecondaryCpus(HypercallPort port, HostTree tree, long entry, long x0) {
        Hvc calls = new Hvc(port);
        for (long mpidr : tree.mpidrs().stream().skip(1).toList()) {
            long result = calls.cpuOn(mpidr, entry, x0);
            LOG.debug("CPU_ON of 0x{}: {}", Long.toHexString(mpidr), result);
        }
    }
}
