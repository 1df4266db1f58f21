package gunyah.hyp.abi;

import akka.actor.testkit.typed.javadsl.ActorTestKit;
import com.typesafe.config.ConfigFactory;
import gunyah.config.MachineConfig;
import gunyah.hyp.trace.TraceSink;
import gunyah.hyp.VcpuDescription;
import gunyah.hyp.bare.BareMachine;
import gunyah.hyp.bare.BareVm;
import gunyah.hyp.hwirq.HwIrq;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;

/**
 * A machine with one guest that executes {@code abi.S}, a table on each of its vCPUs, each on a physical CPU of its
 * own. The guest may do what the Resource Manager may: it has capabilities to the partition, to its own cspace, address
 * space and vCPUs, and memory to divide. The test's thread owns it.
 */
final class GuestMachine implements AutoCloseable {
    static final int VMID = 128;

    private static final long MEMORY = 128L << 20;
    private static final long RAM_BYTES = 16L << 20;
    private static final long PARAMETERS = 0x1_0000;
    private static final long SLOTS = 0x2_0000;
    private static final long TABLES = 0x10_0000;
    private static final long TABLE_BYTES = 4L << 20;
    private static final long READ_ONLY_PAGE = 0xF_0000;
    private static final int CAPS = 4096;
    private static final int DONE = 0x10;
    private static final int AFTER = 0x200;
    private static final Duration LIMIT = Duration.ofMinutes(3);
    private static final long POLL_NS = 500_000;

    private final ActorTestKit kit = ActorTestKit.create("guests", ConfigFactory.load());
    private final BareMachine machine;
    private final BareVm vm;
    private final long pa;
    private final long foreign;
    private final List<Long> extents = new ArrayList<>();

    GuestMachine(long seed, int vcpus, Optional<? extends TraceSink> trace) {
        machine = new BareMachine(kit.system(), new MachineConfig(vcpus, MEMORY, 5_000_000), new Random(seed), trace);
        BareVm.Builder plan = machine.vm(VMID).caps(CAPS).cspaceEach().gic(96).group(0);
        for (int i = 0; i < vcpus; i++) {
            plan.vcpu(BareVm.VcpuSpec.on(i));
        }
        vm = plan.build();
        pa = machine.env().hlosBase() + (8L << 20);
        vm.map(Arena.RAM, pa, RAM_BYTES);
        machine.call(0x2B, vm.addrspace(), machine.env().memextentCap(), Arena.READ_ONLY, 0xF_0044, 1,
                pa + READ_ONLY_PAGE, Arena.PAGE);
        foreign = machine.grant(machine.env().partitionCap(), machine.newCspace(4));
        write(pa, image("abi"));
    }

    BareMachine bare() {
        return machine;
    }

    BareVm vm() {
        return vm;
    }

    /** {@return what a script of a vCPU gets for its own; each number once} */
    Arena arena(int index, int vcpu) {
        long base = pa + RAM_BYTES + index * Arena.PAGES * Arena.PAGE;
        long root = machine.env().memextentCap();
        long extent = machine.create(0x04);
        machine.call(0x32, extent, root, base, Arena.PAGES * Arena.PAGE, Objects.SPARSE_RWX);
        machine.activate(extent);
        machine.call(0x61, 0, root, extent, 0, Arena.PAGES * Arena.PAGE);
        extents.add(extent);
        for (long offset = 0; offset < Arena.PAGES * Arena.PAGE; offset += Arena.PAGE) {
            write(base + offset, word(Arena.word(index, offset)));
        }
        write(base + Arena.INNER, image("inner"));
        long cspace = vm.cspace(vcpu);
        return new Arena(index, machine.grant(machine.env().partitionCap(), cspace), machine.grant(cspace, cspace),
                machine.grant(vm.addrspace(), cspace), machine.grant(vm.vcpu(vcpu), cspace),
                machine.grant(extent, cspace), base, machine.grant(hwirq(2 * index), cspace),
                machine.grant(hwirq(2 * index + 1), cspace), foreign, deletedCap(cspace));
    }

    /** {@return the root VM's capability to the extent of the {@code index}-th arena made} */
    long extent(int index) {
        return extents.get(index);
    }

    private long hwirq(int number) {
        return machine.env().hwirqCaps().get(HwIrq.FIRST + number);
    }

    /** {@return the id of a slot so far up that it stays empty} */
    private long deletedCap(long cspace) {
        long[] caps = new long[CAPS / 2];
        for (int i = 0; i < caps.length; i++) {
            caps[i] = machine.grant(machine.env().partitionCap(), cspace);
        }
        for (long cap : caps) {
            machine.call(0x22, cspace, cap);
        }
        return caps[caps.length - 1];
    }

    /** Powers a vCPU on to execute a table. All vCPUs have the same variables. */
    void start(int vcpu, byte[] table) {
        if (table.length > TABLE_BYTES) {
            throw new IllegalArgumentException("a table of %d bytes".formatted(table.length));
        }
        write(pa + TABLES + TABLE_BYTES * vcpu, table);
        long block = PARAMETERS + 0x1000L * vcpu;
        write(pa + block, word(Arena.RAM + TABLES + TABLE_BYTES * vcpu));
        write(pa + block + 8, word(Arena.RAM + SLOTS));
        vm.powerOn(vcpu, Arena.RAM, Arena.RAM + block);
    }

    /** Waits until the table's end or until the vCPU switched itself off. {@return what went wrong, or empty} */
    String await(int vcpu) {
        long block = pa + PARAMETERS + 0x1000L * vcpu;
        long deadline = System.nanoTime() + LIMIT.toNanos();
        while (read(block + DONE) == 0) {
            VcpuDescription state = description(vcpu);
            if (state.state().equals("off")) {
                return "";
            }
            if (state.state().equals("failed") || System.nanoTime() - deadline > 0) {
                return "vCPU %d, row %d: %s".formatted(vcpu, rows(vcpu), state);
            }
            LockSupport.parkNanos(POLL_NS);
        }
        return read(block + DONE) == 1 ? "" : "vCPU %d took an exception, ESR_EL1 0x%x at 0x%x, row %d".formatted(vcpu,
                read(block + AFTER), read(block + AFTER + 8), rows(vcpu));
    }

    VcpuDescription description(int vcpu) {
        return machine.hypervisor().describeVcpus(VMID).get(vcpu);
    }

    /** {@return rows that the vCPU executed} */
    long rows(int vcpu) {
        return read(pa + PARAMETERS + 0x1000L * vcpu + 0x20);
    }

    /** {@return the vCPU's table as it left it} */
    ByteBuffer table(int vcpu, int length) {
        byte[] bytes = new byte[length];
        machine.hypervisor().memory().read(pa + TABLES + TABLE_BYTES * vcpu, bytes, 0, length);
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    private long read(long address) {
        byte[] bytes = new byte[8];
        machine.hypervisor().memory().read(address, bytes, 0, 8);
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
    }

    private void write(long address, byte[] bytes) {
        machine.hypervisor().memory().write(address, bytes, 0, bytes.length);
    }

    private static byte[] word(long value) {
        return ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array();
    }

    static byte[] image(String name) {
        try (InputStream in = GuestMachine.class.getResourceAsStream(name + ".img")) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        machine.close();
        kit.shutdownTestKit();
    }
}
