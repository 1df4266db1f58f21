package gunyah.bench;

import akka.actor.typed.ActorSystem;
import akka.actor.typed.javadsl.Behaviors;
import com.typesafe.config.ConfigFactory;
import gunyah.config.MachineConfig;
import gunyah.hyp.HypError;
import gunyah.hyp.Hypervisor;
import gunyah.hyp.HypercallPort;
import gunyah.hyp.RootVmEnv;
import gunyah.hyp.VcpuWork;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;

/**
 * A machine without Resource Manager and host driver: the benchmark makes objects through the root port as the Resource
 * Manager would, and one vCPU of the primary VM executes the pieces of Java that it is handed. The benchmark's thread
 * owns it.
 */
final class BenchMachine implements AutoCloseable {
    static final long TIMESLICE_NS = 5_000_000;

    private static final int HLOS = 3;
    private static final long MEMORY = 256L << 20;
    private static final long FIRST_BLOCK = 0x4400_0000L;
    private static final long BLOCK = 2L << 20;

    private final ActorSystem<Void> system;
    private final Hypervisor hypervisor;
    private final HostCpu hostCpu = new HostCpu();
    private final long hostCspace;
    private long nextBlock = FIRST_BLOCK;
    private int nextVmid = 128;
    private HypercallPort root;
    private RootVmEnv env;

    BenchMachine(int pcpus) {
        system = ActorSystem.create(Behaviors.empty(), "bench", ConfigFactory.load("gunyah/runtime/system"));
        hypervisor = Hypervisor.start(system, new MachineConfig(pcpus, MEMORY, TIMESLICE_NS), System::nanoTime,
                (vmid, index) -> vmid == HLOS ? Optional.of(hostCpu) : Optional.empty(), (port, newEnv) -> {
                    root = port;
                    env = newEnv;
                });
        hostCspace = create(0x02);
        call(0x25, hostCspace, 1024);
        activate(hostCspace);
        long addrspace = create(0x03);
        call(0x2E, addrspace, HLOS);
        activate(addrspace);
        long vic = create(0x0A);
        call(0x28, vic, 1, 988, 0, 0);
        activate(vic);
        long vcpu = create(0x05);
        call(0x34, vcpu, 1L << 63 | 1 << 8 | 1);
        call(0x3D, vcpu, 0, -1);
        call(0x3E, hostCspace, vcpu);
        call(0x2A, addrspace, vcpu);
        call(0x29, vic, vcpu, 0);
        activate(vcpu);
        call(0x38, vcpu, 0, 0, 0);
        hostCpu.booted.join();
    }

    /** A root hypercall by the native convention that must succeed. {@return the registers} */
    long[] call(int number, long... inputs) {
        long[] x = new long[8];
        System.arraycopy(inputs, 0, x, 0, inputs.length);
        root.call(number, x);
        if (x[0] != 0) {
            throw new IllegalStateException("hypercall 0x%x: %s".formatted(number, HypError.of(x[0])));
        }
        return x;
    }

    /** {@return capability of a new object, made with call {@code number}} */
    long create(int number) {
        return call(number, env.partitionCap(), env.cspaceCap())[1];
    }

    void activate(long cap) {
        call(0x0C, cap);
    }

    /** {@return a copy of a root capability in another cspace} */
    long grant(long cap, long cspace) {
        return call(0x23, env.cspaceCap(), cap, cspace, 0xFFFF_FFFFL)[1];
    }

    long hostCspace() {
        return hostCspace;
    }

    long rootExtent() {
        return env.memextentCap();
    }

    /** {@return physical address of 2 MiB that nobody else got} */
    long block() {
        nextBlock += BLOCK;
        return nextBlock - BLOCK;
    }

    int newVmid() {
        return nextVmid++;
    }

    Hypervisor hypervisor() {
        return hypervisor;
    }

    /** Executes {@code task} on the host's vCPU. {@return completes with it} */
    CompletableFuture<Void> onHostCpu(HostTask task) {
        return hostCpu.submit(task);
    }

    @Override
    public void close() {
        hypervisor.close();
        system.terminate();
        system.getWhenTerminated().toCompletableFuture().orTimeout(1, TimeUnit.MINUTES).join();
    }

    /** Work for the host's vCPU, with the port of that vCPU. */
    interface HostTask {
        void run(HypercallPort port);
    }

    private static final class HostCpu implements VcpuWork {
        private final CompletableFuture<Context> booted = new CompletableFuture<>();
        private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();

        @Override
        public void boot(Context context, long entry, long x0) {
            booted.complete(context);
        }

        @Override
        public Result run(Context context) {
            Runnable task = tasks.poll();
            if (task == null) {
                return Result.IDLE;
            }
            task.run();
            return Result.MORE;
        }

        private CompletableFuture<Void> submit(HostTask task) {
            Context context = booted.join();
            CompletableFuture<Void> done = new CompletableFuture<>();
            tasks.add(() -> {
                try {
                    task.run(context.port());
                    done.complete(null);
                } catch (RuntimeException e) {
                    done.completeExceptionally(e);
                }
            });
            context.wake();
            return done;
        }
    }
}
