package gunyah.load;

import akka.actor.typed.ActorSystem;
import akka.actor.typed.javadsl.Behaviors;
import com.typesafe.config.ConfigFactory;
import gunyah.config.MachineConfig;
import gunyah.hyp.VcpuStatistics;
import gunyah.hyp.bare.BareMachine;
import gunyah.hyp.bare.BareVm;
import gunyah.hyp.pcpu.PcpuState;
import gunyah.runtime.GunyahSystem;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/**
 * A machine of CPU-bound guests that the hypervisor's scheduler runs: no Resource Manager, no host, no proxy. Guests are
 * made by the hypercalls that the Resource Manager would make, and execute {@code hog.S}. Used by one thread.
 */
public final class HogMachine implements AutoCloseable {
    private static final int FIRST_VMID = 128;
    private static final long GUEST_BASE = 0x4000_0000L;
    private static final long GUEST_BYTES = 64 << 10;
    private static final int COUNTER = 0x1000;
    private static final Duration END_LIMIT = Duration.ofMinutes(1);

    private final ActorSystem<Void> system;
    private final BareMachine machine;
    private final List<BareVm> guests = new ArrayList<>();
    private final byte[] program;

    /** @param pcpus physical CPUs */
    public HogMachine(int pcpus) {
        program = program();
        system = ActorSystem.create(Behaviors.empty(), "load",
                ConfigFactory.load(GunyahSystem.class.getClassLoader(), "gunyah/runtime/system"));
        machine = new BareMachine(system, new MachineConfig(pcpus, 256L << 20, 5_000_000), new SecureRandom(),
                Optional.empty());
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
        int number = guests.size();
        BareVm guest = machine.vm(FIRST_VMID + number)
                .vcpu(BareVm.VcpuSpec.on(cpu).priority(priority).timeslice(timesliceNs)).build();
        guest.own(GUEST_BASE, memoryOf(number), GUEST_BYTES);
        machine.hypervisor().memory().write(memoryOf(number), program, 0, program.length);
        guests.add(guest);
        return number;
    }

    private long memoryOf(int number) {
        return machine.env().hlosBase() + number * GUEST_BYTES;
    }

    public void powerOn(int guest) {
        guests.get(guest).powerOn(0, GUEST_BASE, 0);
    }

    /** Ends all guests for good. Blocks until none executes, so that {@link #statistics} is exact. */
    public void killAll() {
        guests.forEach(BareVm::kill);
        long deadline = System.nanoTime() + END_LIMIT.toNanos();
        for (int i = 0; i < guests.size(); i++) {
            int guest = i;
            await(deadline, () -> statistics(guest).state().equals("exited"), () -> statistics(guest));
        }
        // The time of the last slices is counted when their CPUs come back.
        await(deadline, () -> pcpus().stream().allMatch(pcpu -> pcpu.running().isEmpty()), this::pcpus);
    }

    private static void await(long deadline, BooleanSupplier condition, Supplier<?> state) {
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - deadline > 0) {
                throw new IllegalStateException("guests did not end: %s".formatted(state.get()));
            }
            LockSupport.parkNanos(100_000);
        }
    }

    public VcpuStatistics statistics(int guest) {
        return machine.hypervisor().statistics(FIRST_VMID + guest).getFirst();
    }

    /** {@return rounds that the guest counted itself, of eight instructions each} */
    public long rounds(int guest) {
        byte[] bytes = new byte[8];
        machine.hypervisor().memory().read(memoryOf(guest) + COUNTER, bytes, 0, bytes.length);
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
    }

    /** {@return what the physical CPUs did} */
    public List<PcpuState> pcpus() {
        return machine.hypervisor().describePcpus().toCompletableFuture().join();
    }

    @Override
    public void close() {
        machine.close();
        system.terminate();
        system.getWhenTerminated().toCompletableFuture().join();
    }
}
