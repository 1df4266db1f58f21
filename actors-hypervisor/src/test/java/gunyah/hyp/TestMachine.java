package gunyah.hyp;

import static org.assertj.core.api.Assertions.assertThat;

import akka.actor.testkit.typed.javadsl.ActorTestKit;
import com.typesafe.config.ConfigFactory;
import gunyah.config.MachineConfig;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/**
 * A whole machine for tests: the test plays the Resource Manager through the root port, and the host's vCPU executes
 * tasks that the test hands it.
 */
final class TestMachine implements AutoCloseable {
    static final int HLOS = 3;
    static final int GUEST = 128;
    static final long RAM = 0x4000_0000L;
    static final long VMMIO_BASE = 0x0900_0000L;
    static final int WAKEUP_VIRQ = 40;
    static final int HALT_VIRQ = 41;
    /** Physical memory of the guest: 2 MiB of the host's RAM. */
    static final long GUEST_PA = 0x4080_0000L;

    final ActorTestKit kit = ActorTestKit.create("machine", ConfigFactory.load());
    final Hypervisor hypervisor;
    final HostWork host = new HostWork();
    HypercallPort root;
    RootVmEnv env;
    final long hostCspace;
    final long hostVic;
    final ConcurrentLinkedQueue<Integer> hostInterrupts = new ConcurrentLinkedQueue<>();
    final ConcurrentLinkedQueue<Integer> rootInterrupts = new ConcurrentLinkedQueue<>();

    TestMachine() {
        this(1);
    }

    TestMachine(int pcpus) {
        hypervisor = Hypervisor.start(kit.system(), new MachineConfig(pcpus, 64L << 20, 5_000_000), System::nanoTime,
                new Random(1), (vmid, index) -> vmid == HLOS ? Optional.of(host) : Optional.empty(), (port, newEnv) -> {
                    root = port;
                    env = newEnv;
                });
        root.onInterrupt(rootInterrupts::add);
        hostCspace = create(0x02);
        call(0x25, hostCspace, 1024);
        activate(hostCspace);
        long addrspace = create(0x03);
        call(0x2E, addrspace, HLOS);
        activate(addrspace);
        hostVic = create(0x0A);
        call(0x28, hostVic, 1, 988, 0, 0);
        activate(hostVic);
        long vcpu = create(0x05);
        call(0x34, vcpu, 1L << 63 | 1 << 8 | 1);
        call(0x3D, vcpu, 0, -1);
        call(0x3E, hostCspace, vcpu);
        call(0x2A, addrspace, vcpu);
        call(0x29, hostVic, vcpu, 0);
        activate(vcpu);
        call(0x38, vcpu, 0x4100_0000L, 0x40F0_0000L, 0);
        host.booted.join();
        host.context.port().onInterrupt(intid -> {
            hostInterrupts.add(intid);
            host.context.wake();
        });
    }

    /** A guest with VMMIO at {@link #VMMIO_BASE}, a GIC, and RAM at {@link #RAM} with this program at its start. */
    final class Guest {
        final long[] vcpus;
        /** Capabilities in the host's cspace. */
        final long[] hostCaps;
        final long addrspace;
        final long vic;

        Guest(int vmid, int vcpuCount, int... program) {
            addrspace = create(0x03);
            call(0x2E, addrspace, vmid);
            activate(addrspace);
            long cspace = create(0x02);
            call(0x25, cspace, 64);
            activate(cspace);
            vic = create(0x0A);
            call(0x28, vic, vcpuCount, 96, 2, 0);
            call(0x67, vic, 0x7FFF, 0, 8, 16, 24, 0);
            activate(vic);
            long group = create(0x0B);
            call(0x66, group, 1);
            activate(group);
            call(0x60, addrspace, VMMIO_BASE, 0x1_0000, 0);
            call(0x62, addrspace, vic, 0, 0x0800_0000L, 0x1_0000, 0);
            vcpus = new long[vcpuCount];
            hostCaps = new long[vcpuCount];
            for (int i = 0; i < vcpuCount; i++) {
                long vcpu = create(0x05);
                vcpus[i] = vcpu;
                call(0x34, vcpu, 1 << 9);
                call(0x46, vcpu, 0);
                call(0x47, vcpu, 100_000);
                call(0x3E, cspace, vcpu);
                call(0x2A, addrspace, vcpu);
                call(0x29, vic, vcpu, i);
                call(0x3C, group, vcpu, i);
                call(0x62, addrspace, vic, i + 1, 0x080A_0000L + 0x2_0000L * i, 0x2_0000, 0);
                activate(vcpu);
                call(0x5C, vcpu, hostVic, WAKEUP_VIRQ + 2 * i, 1);
                call(0x5C, vcpu, hostVic, HALT_VIRQ + 2 * i, 0);
                hostCaps[i] = call(0x23, env.cspaceCap(), vcpu, hostCspace, -1 & 0xFFFF_FFFFL)[1];
            }
            map(addrspace, GUEST_PA, RAM, 2 << 20);
            write(GUEST_PA, program);
        }

        void powerOn() {
            call(0x38, vcpus[0], RAM, 0, 0);
        }

        /**
         * vcpu_run by the host's vCPU until the state is not READY; {@code inputs} r0, r1, r2. {@return error, state,
         * d0, d1, d2}
         */
        long[] run(long... inputs) {
            return runVcpu(0, inputs);
        }

        long[] runVcpu(int index, long... inputs) {
            return host.submit(context -> {
                long[] x = new long[8];
                x[0] = hostCaps[index];
                System.arraycopy(inputs, 0, x, 1, inputs.length);
                context.port().call(0x65, x);
                while (x[0] == 0 && x[1] == 0) {
                    x[0] = hostCaps[index];
                    context.port().call(0x65, x);
                }
                return x;
            });
        }
    }

    /** Executes tasks on the host's vCPU thread, within its slice. */
    static final class HostWork implements VcpuWork {
        final CompletableFuture<Void> booted = new CompletableFuture<>();
        private final ConcurrentLinkedQueue<Runnable> tasks = new ConcurrentLinkedQueue<>();
        volatile Context context;
        volatile long entry;
        volatile long x0;

        @Override
        public void boot(Context newContext, long newEntry, long newX0) {
            context = newContext;
            entry = newEntry;
            x0 = newX0;
            booted.complete(null);
        }

        @Override
        public Result run(Context current) {
            Runnable task = tasks.poll();
            if (task == null) {
                return Result.IDLE;
            }
            task.run();
            return Result.MORE;
        }

        <T> CompletableFuture<T> start(Function<Context, T> task) {
            CompletableFuture<T> result = new CompletableFuture<>();
            tasks.add(() -> {
                try {
                    result.complete(task.apply(context));
                } catch (RuntimeException e) {
                    result.completeExceptionally(e);
                }
            });
            context.wake();
            return result;
        }

        <T> T submit(Function<Context, T> task) {
            return start(task).orTimeout(20, TimeUnit.SECONDS).join();
        }
    }

    long create(int number) {
        return call(number, env.partitionCap(), env.cspaceCap())[1];
    }

    void activate(long cap) {
        call(0x0C, cap);
    }

    /** A root hypercall that must succeed. {@return the registers} */
    long[] call(int number, long... inputs) {
        long[] x = tryCall(number, inputs);
        assertThat(HypError.of(x[0])).as("hypercall 0x%x", number).isEqualTo(HypError.OK);
        return x;
    }

    long[] tryCall(int number, long... inputs) {
        long[] x = new long[8];
        System.arraycopy(inputs, 0, x, 0, inputs.length);
        root.call(number, x);
        return x;
    }

    void map(long addrspace, long pa, long ipa, long size) {
        call(0x2B, addrspace, env.memextentCap(), ipa, 0xF_0077, 1, pa, size);
    }

    void write(long pa, int... words) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * words.length).order(ByteOrder.LITTLE_ENDIAN);
        for (int word : words) {
            bytes.putInt(word);
        }
        hypervisor.memory().write(pa, bytes.array(), 0, bytes.capacity());
    }

    int read32(long pa) {
        byte[] bytes = new byte[4];
        hypervisor.memory().read(pa, bytes, 0, 4);
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getInt();
    }

    @Override
    public void close() {
        hypervisor.close();
        kit.shutdownTestKit();
    }
}
