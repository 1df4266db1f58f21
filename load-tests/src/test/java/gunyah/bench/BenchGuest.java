package gunyah.bench;

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

    private final BenchMachine machine;
    private final long timesliceNs;
    private final long pa;
    private final long cspace;
    private final long addrspace;
    private final long vic;
    private final long[] vcpus;

    /** @param cpus the physical CPU of each vCPU; -1 for a vCPU that the host schedules */
    BenchGuest(BenchMachine machine, int... cpus) {
        this(machine, BenchMachine.TIMESLICE_NS, cpus);
    }

    BenchGuest(BenchMachine machine, long timesliceNs, int... cpus) {
        this.machine = machine;
        this.timesliceNs = timesliceNs;
        pa = machine.block();
        addrspace = machine.create(0x03);
        machine.call(0x2E, addrspace, machine.newVmid());
        machine.activate(addrspace);
        cspace = machine.create(0x02);
        machine.call(0x25, cspace, 64);
        machine.activate(cspace);
        vic = machine.create(0x0A);
        machine.call(0x28, vic, cpus.length, 96, 2, 0);
        machine.call(0x67, vic, 0x7FFF, 0, 8, 16, 24, 0);
        machine.activate(vic);
        machine.call(0x60, addrspace, DEVICE, 0x1_0000, 0);
        machine.call(0x62, addrspace, vic, 0, 0x0800_0000L, 0x1_0000, 0);
        vcpus = new long[cpus.length];
        for (int i = 0; i < cpus.length; i++) {
            vcpus[i] = newVcpu(i, cpus[i]);
        }
        machine.call(0x2B, addrspace, machine.rootExtent(), RAM, 0xF_0077, 1, pa, 2 << 20);
        byte[] image = image();
        machine.hypervisor().memory().write(pa, image, 0, image.length);
    }

    private long newVcpu(int index, int cpu) {
        long vcpu = machine.create(0x05);
        machine.call(0x34, vcpu, cpu < 0 ? 1 << 9 : 0);
        machine.call(0x47, vcpu, timesliceNs);
        if (cpu >= 0) {
            machine.call(0x3D, vcpu, cpu, -1);
        }
        machine.call(0x3E, cspace, vcpu);
        machine.call(0x2A, addrspace, vcpu);
        machine.call(0x29, vic, vcpu, index);
        machine.call(0x62, addrspace, vic, index + 1, 0x080A_0000L + 0x2_0000L * index, 0x2_0000, 0);
        machine.activate(vcpu);
        return vcpu;
    }

    private static byte[] image() {
        try (InputStream in = BenchGuest.class.getResourceAsStream("bench.img")) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    long addrspace() {
        return addrspace;
    }

    /** {@return capability in the root cspace} */
    long vcpu(int index) {
        return vcpus[index];
    }

    /** {@return the number of this root capability in the guest's cspace} */
    long grant(long cap) {
        return machine.grant(cap, cspace);
    }

    /** Binds a source by its call: the interrupt of all programs. */
    void bind(int call, long source) {
        machine.call(call, source, vic, INTERRUPT, 0);
    }

    void set(int vcpu, Parameter parameter, long value) {
        write(PARAMETERS + PARAMETER_BLOCK * vcpu + parameter.offset, value);
    }

    /** Powers a vCPU on to execute a program. */
    void start(int vcpu, Program program) {
        int block = PARAMETERS + PARAMETER_BLOCK * vcpu;
        write(block, program.ordinal());
        write(block + 0x60, SAMPLES);
        machine.call(0x38, vcpus[vcpu], RAM, RAM + block, 0);
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
        for (long vcpu : vcpus) {
            machine.call(0x3A, vcpu);
        }
        machine.call(0x2C, addrspace, machine.rootExtent(), RAM, 1, pa, 2 << 20);
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
