package gunyah.hyp;

import akka.actor.testkit.typed.javadsl.ActorTestKit;
import com.typesafe.config.ConfigFactory;
import gunyah.config.MachineConfig;
import gunyah.hyp.bare.BareMachine;
import gunyah.hyp.bare.BareVm;
import gunyah.hyp.bare.HostCpu;
import gunyah.hyp.trace.TraceSink;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * A whole machine for tests: the test plays the Resource Manager through the root port, and the host's vCPU executes
 * tasks that the test hands it.
 */
final class TestMachine implements AutoCloseable {
    static final int GUEST = 128;
    static final long RAM = 0x4000_0000L;
    static final long VMMIO_BASE = 0x0900_0000L;
    static final int WAKEUP_VIRQ = 40;
    static final int HALT_VIRQ = 41;
    /** Physical memory of the guest: 2 MiB of the host's RAM. */
    static final long GUEST_PA = 0x4080_0000L;

    final ActorTestKit kit = ActorTestKit.create("machine", ConfigFactory.load());
    final BareMachine bare;
    final Hypervisor hypervisor;
    final HostCpu host;
    final HypercallPort root;
    final RootVmEnv env;
    final long hostCspace;
    final long hostVic;
    final ConcurrentLinkedQueue<Integer> hostInterrupts = new ConcurrentLinkedQueue<>();
    final ConcurrentLinkedQueue<Integer> rootInterrupts = new ConcurrentLinkedQueue<>();

    TestMachine() {
        this(1);
    }

    TestMachine(int pcpus) {
        this(pcpus, Optional.empty());
    }

    /** As above with a listener. */
    TestMachine(int pcpus, Optional<? extends TraceSink> trace) {
        bare = new BareMachine(kit.system(), new MachineConfig(pcpus, 64L << 20, 5_000_000), new Random(1), trace);
        hypervisor = bare.hypervisor();
        root = bare.root();
        env = bare.env();
        root.onInterrupt(rootInterrupts::add);
        BareVm primary = bare.bootHost();
        hostCspace = primary.cspace();
        hostVic = primary.vic();
        host = bare.host();
        host.context().port().onInterrupt(intid -> {
            hostInterrupts.add(intid);
            host.context().wake();
        });
    }

    /** A guest with VMMIO at {@link #VMMIO_BASE}, a GIC, and RAM at {@link #RAM} with this program at its start. */
    final class Guest {
        final long[] vcpus;
        /** Capabilities in the host's cspace. */
        final long[] hostCaps;
        final long addrspace;
        final long vic;
        final long group;

        Guest(int vmid, int vcpuCount, int... program) {
            BareVm.Builder plan = bare.vm(vmid).gic(96).group(BareVm.NO_AGGREGATION);
            for (int i = 0; i < vcpuCount; i++) {
                plan.vcpu(BareVm.VcpuSpec.proxied());
            }
            BareVm vm = plan.build();
            addrspace = vm.addrspace();
            vic = vm.vic();
            group = vm.group();
            call(0x60, addrspace, VMMIO_BASE, 0x1_0000, 0);
            vcpus = new long[vcpuCount];
            hostCaps = new long[vcpuCount];
            for (int i = 0; i < vcpuCount; i++) {
                vcpus[i] = vm.vcpu(i);
                call(0x5C, vcpus[i], hostVic, WAKEUP_VIRQ + 2 * i, 1);
                call(0x5C, vcpus[i], hostVic, HALT_VIRQ + 2 * i, 0);
                hostCaps[i] = bare.grant(vcpus[i], hostCspace);
            }
            vm.map(RAM, GUEST_PA, 2 << 20);
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
            return host.submit(context -> BareVm.run(context.port(), hostCaps[index], inputs));
        }
    }

    long create(int number) {
        return bare.create(number);
    }

    void activate(long cap) {
        bare.activate(cap);
    }

    /** A root hypercall that must succeed. {@return the registers} */
    long[] call(int number, long... inputs) {
        return bare.call(number, inputs);
    }

    long[] tryCall(int number, long... inputs) {
        return bare.tryCall(number, inputs);
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
        bare.close();
        kit.shutdownTestKit();
    }
}
