package gunyah.load;

import akka.actor.typed.ActorSystem;
import akka.actor.typed.javadsl.Behaviors;
import com.typesafe.config.ConfigFactory;
import gunyah.config.MachineConfig;
import gunyah.hyp.HypError;
import gunyah.hyp.HypercallPort;
import gunyah.hyp.Hypervisor;
import gunyah.hyp.RootVmEnv;
import gunyah.hyp.VcpuStatistics;
import gunyah.hyp.pcpu.PcpuState;
import gunyah.runtime.GunyahSystem;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;

/**
 * A machine of CPU-bound guests that the hypervisor's scheduler runs: no Resource Manager, no host, no proxy. Guests are
 * made by the hypercalls that the Resource Manager would make, and execute {@code hog.S}. Used by one thread.
 */
public final class HogMachine implements AutoCloseable {
    private static final int FIRST_VMID = 128;
    private static final long GUEST_BASE = 0x4000_0000L;
    private static final long GUEST_BYTES = 64 << 10;
    private static final int COUNTER = 0x1000;
    private static final long RWX = 7;
    private static final long MAP_RWX = 0xF_0077;
    private static final Duration END_LIMIT = Duration.ofSeconds(30);

    private final ActorSystem<Void> system;
    private final Hypervisor hypervisor;
    private final List<Long> vcpus = new ArrayList<>();
    private final byte[] program;
    private HypercallPort root;
    private RootVmEnv env;

    /** @param pcpus physical CPUs */
    public HogMachine(int pcpus) {
        program = program();
        system = ActorSystem.create(Behaviors.empty(), "load",
                ConfigFactory.load(GunyahSystem.class.getClassLoader(), "gunyah/runtime/system"));
        hypervisor = Hypervisor.start(system, new MachineConfig(pcpus, 256L << 20, 5_000_000), System::nanoTime,
                (vmid, index) -> Optional.empty(), (port, newEnv) -> {
                    root = port;
                    env = newEnv;
                });
    }

    private static byte[] program() {
        try (InputStream in = HogMachine.class.getResourceAsStream("hog.img")) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Adds a guest of one vCPU, powered off.
     *
     * @param cpu         physical CPU it runs on
     * @param timesliceNs nanoseconds
     * @return its number, from 0
     */
    public int add(int cpu, int priority, long timesliceNs) {
        int number = vcpus.size();
        long addrspace = create(0x03);
        call(0x2E, addrspace, FIRST_VMID + number);
        activate(addrspace);
        long cspace = create(0x02);
        call(0x25, cspace, 16);
        activate(cspace);
        long vic = create(0x0A);
        call(0x28, vic, 1, 0, 0, 0);
        activate(vic);
        long memory = create(0x04);
        long pa = memoryOf(number);
        call(0x32, memory, env.memextentCap(), pa, GUEST_BYTES, RWX);
        activate(memory);
        call(0x2B, addrspace, memory, GUEST_BASE, MAP_RWX, 0, 0, 0);
        hypervisor.memory().write(pa, program, 0, program.length);
        long vcpu = create(0x05);
        call(0x34, vcpu, 0);
        call(0x46, vcpu, priority);
        call(0x47, vcpu, timesliceNs);
        call(0x3D, vcpu, cpu, -1);
        call(0x3E, cspace, vcpu);
        call(0x2A, addrspace, vcpu);
        call(0x29, vic, vcpu, 0);
        activate(vcpu);
        vcpus.add(vcpu);
        return number;
    }

    private long memoryOf(int number) {
        return env.hlosBase() + number * GUEST_BYTES;
    }

    public void powerOn(int guest) {
        call(0x38, vcpus.get(guest), GUEST_BASE, 0, 0);
    }

    /** Ends all guests for good. Blocks until none executes, so that {@link #statistics} is exact. */
    public void killAll() {
        vcpus.forEach(vcpu -> call(0x3A, vcpu));
        long deadline = System.nanoTime() + END_LIMIT.toNanos();
        for (int i = 0; i < vcpus.size(); i++) {
            while (!statistics(i).state().equals("exited")) {
                if (System.nanoTime() > deadline) {
                    throw new IllegalStateException("guest %d did not end: %s".formatted(i, statistics(i)));
                }
                LockSupport.parkNanos(100_000);
            }
        }
    }

    public VcpuStatistics statistics(int guest) {
        return hypervisor.statistics(FIRST_VMID + guest).getFirst();
    }

    /** {@return rounds that the guest counted itself, of eight instructions each} */
    public long rounds(int guest) {
        byte[] bytes = new byte[8];
        hypervisor.memory().read(memoryOf(guest) + COUNTER, bytes, 0, bytes.length);
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
    }

    /** {@return what the physical CPUs did} */
    public List<PcpuState> pcpus() {
        return hypervisor.describePcpus().toCompletableFuture().join();
    }

    private long create(int number) {
        return call(number, env.partitionCap(), env.cspaceCap())[1];
    }

    private void activate(long cap) {
        call(0x0C, cap);
    }

    private long[] call(int number, long... inputs) {
        long[] x = new long[8];
        System.arraycopy(inputs, 0, x, 0, inputs.length);
        root.call(number, x);
        if (x[0] != 0) {
            throw new IllegalStateException("hypercall 0x%x: %s".formatted(number, HypError.of(x[0])));
        }
        return x;
    }

    @Override
    public void close() {
        hypervisor.close();
        system.terminate();
        system.getWhenTerminated().toCompletableFuture().join();
    }
}
