package gunyah.bench;

import gunyah.hyp.bare.BareMachine;
import gunyah.hyp.bare.BareVm;
import gunyah.hyp.bare.BareVm.VcpuSpec;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.locks.LockSupport;

/**
 * A VM with 2 MiB of memory that executes a program of {@code bench.S}: the layout of its parameter block is written
 * there. The benchmark's thread owns it.
 */
final class BenchGuest {
    static final long RAM = 0x4000_0000L;
    /** A VMMIO range of 64 KiB. */
    static final long DEVICE = 0x0900_0000L;
    /** Address in the guest from which samples are stored; up to 832 KiB. */
    static final long SAMPLES = RAM + 0x2_0000;
    static final int INTERRUPT = 40;

    private static final int BYTES = 2 << 20;
    private static final int PARAMETERS = 0x1_0000;
    private static final int PARAMETER_BLOCK = 0x400;
    private static final int READY = 0xA0;
    private static final int DONE = 0x80;
    private static final int BEGIN = 0x88;
    private static final int END = 0x90;
    private static final int ERRORS = 0x98;
    private static final int NS_PER_TICK = 16;
    private static final long LIMIT_NS = 120_000_000_000L;
    private static final long POLL_NS = 200_000;

    /** The programs, in the order of the table in {@code bench.S}. */
    enum Program { NATIVE, SMCCC, SEND, RECEIVE, RING, ANSWER, HOG, DEVICE, SPIN, NOTHING }

    /** Parameters, in the order of the block in {@code bench.S}; each is one 64-bit word. */
    enum Parameter {
        COUNT(0x08), INNER(0x10), CALL(0x18), CALL_X1(0x20), CALL_X2(0x28), CALL_X3(0x30), CALL_X4(0x38), CAP(0x40),
        PEER(0x48), SIZE(0x50), SLEEP(0x58), ADDRESS(0x68);

        private final int offset;

        Parameter(int offset) {
            this.offset = offset;
        }
    }

    private final BareMachine machine;
    private final BareVm vm;
    private final long pa;

    /** @param cpus the physical CPU of each vCPU; -1 for a vCPU that the host schedules */
    BenchGuest(BenchMachine bench, int... cpus) {
        this(bench, BenchMachine.TIMESLICE_NS, cpus);
    }

    BenchGuest(BenchMachine bench, long timesliceNs, int... cpus) {
        machine = bench.bare();
        pa = bench.block();
        BareVm.Builder plan = machine.vm(bench.newVmid()).gic(96);
        for (int cpu : cpus) {
            plan.vcpu((cpu < 0 ? VcpuSpec.proxied() : VcpuSpec.on(cpu)).timeslice(timesliceNs));
        }
        vm = plan.build();
        machine.call(0x60, vm.addrspace(), DEVICE, 0x1_0000, 0);
        vm.map(RAM, pa, BYTES);
        byte[] image = image();
        machine.hypervisor().memory().write(pa, image, 0, image.length);
    }

    private static byte[] image() {
        try (InputStream in = BenchGuest.class.getResourceAsStream("bench.img")) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** {@return the VM that executes the program} */
    BareVm vm() {
        return vm;
    }

    /** Binds a source by its call: the interrupt of all programs. */
    void bind(int call, long source) {
        machine.call(call, source, vm.vic(), INTERRUPT, 0);
    }

    void set(int vcpu, Parameter parameter, long value) {
        write(PARAMETERS + PARAMETER_BLOCK * vcpu + parameter.offset, value);
    }

    /** Powers a vCPU on to execute a program. */
    void start(int vcpu, Program program) {
        int block = PARAMETERS + PARAMETER_BLOCK * vcpu;
        write(block, program.ordinal());
        write(block + 0x60, SAMPLES);
        vm.powerOn(vcpu, RAM, RAM + block);
    }

    void awaitReady(int vcpu) {
        await(PARAMETERS + PARAMETER_BLOCK * vcpu + READY);
    }

    /** Waits for the end of the program. {@return how long it took, nanoseconds} */
    long awaitDone(int vcpu) {
        int block = PARAMETERS + PARAMETER_BLOCK * vcpu;
        long done = await(block + DONE);
        if (done != 1) {
            throw new IllegalStateException("the guest took an exception at 0x%x, ESR_EL1 0x%x"
                    .formatted(read(block + END), read(block + ERRORS)));
        }
        if (read(block + ERRORS) != 0) {
            throw new IllegalStateException("the guest counted %d errors".formatted(read(block + ERRORS)));
        }
        return (read(block + END) - read(block + BEGIN)) * NS_PER_TICK;
    }

    boolean isDone(int vcpu) {
        return read(PARAMETERS + PARAMETER_BLOCK * vcpu + DONE) != 0;
    }

    private long await(int offset) {
        long deadline = System.nanoTime() + LIMIT_NS;
        long value = read(offset);
        while (value == 0) {
            if (System.nanoTime() - deadline > 0) {
                throw new IllegalStateException("the guest is stuck: " + machine.hypervisor().vmids().stream()
                        .flatMap(vmid -> machine.hypervisor().describeVcpus(vmid).stream()).toList());
            }
            LockSupport.parkNanos(POLL_NS);
            value = read(offset);
        }
        return value;
    }

    /** {@return the stored durations, nanoseconds} */
    long[] durations(int count) {
        ByteBuffer bytes = memory(SAMPLES, 4 * count);
        long[] samples = new long[count];
        for (int i = 0; i < count; i++) {
            samples[i] = Integer.toUnsignedLong(bytes.getInt()) * NS_PER_TICK;
        }
        return samples;
    }

    /** {@return the stored times, nanoseconds of the counter} */
    long[] times(int count) {
        ByteBuffer bytes = memory(SAMPLES, 8 * count);
        long[] samples = new long[count];
        for (int i = 0; i < count; i++) {
            samples[i] = bytes.getLong() * NS_PER_TICK;
        }
        return samples;
    }

    /** Ends the vCPUs and gives the memory back. */
    void kill() {
        vm.kill();
        vm.unmap(RAM, pa, BYTES);
    }

    private ByteBuffer memory(long address, int length) {
        byte[] bytes = new byte[length];
        machine.hypervisor().memory().read(pa + address - RAM, bytes, 0, length);
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    private long read(int offset) {
        return memory(RAM + offset, 8).getLong();
    }

    private void write(int offset, long value) {
        byte[] bytes = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array();
        machine.hypervisor().memory().write(pa + offset, bytes, 0, 8);
    }
}
