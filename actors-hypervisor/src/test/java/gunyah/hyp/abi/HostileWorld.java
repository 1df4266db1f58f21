package gunyah.hyp.abi;

import gunyah.hyp.ObjectType;
import gunyah.hyp.bare.BareMachine;
import gunyah.hyp.bare.BareVm;
import gunyah.hyp.hwirq.HwIrq;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;

/**
 * A hostile guest and what it may attack: objects of every kind, in use and not, with all rights, and its own ones
 * without the rights to end or to move itself. It executes {@code abi.S}. Closing it leaves nothing behind.
 *
 * <p>It has the highest priority on its physical CPUs, so a vCPU that it brings to life runs only inside its calls.
 */
final class HostileWorld implements AutoCloseable {
    static final int VMID = 128;
    static final long RAM = 0x4000_0000L;
    static final long PAGE = 0x1000;
    static final int POOL_PAGES = 64;
    /** Where the first mapping of the pool is in the attacked address space. */
    static final long MAPPED = 0x5000_0000L;
    static final long BUFFER = RAM + 0x6_0000;

    private static final long RAM_BYTES = 8L << 20;
    private static final long PARAMETERS = 0x1_0000;
    private static final long GO = 0x1_F000;
    private static final long TABLES = 0x10_0000;
    private static final long TABLE_BYTES = 3L << 20;
    private static final int CAPS = 400;
    private static final int OTHER_CAPS = 8;
    private static final int VICTIM_VMID = 150;
    private static final int TOP_PRIORITY = 62;
    private static final long ALL = Objects.ALL;
    private static final Duration LIMIT = Duration.ofMinutes(2);

    private final BareMachine machine;
    private final BareVm vm;
    private final long pa;
    private long otherCspace;
    private long[] otherIds;
    private final List<Long> made = new ArrayList<>();
    private final List<Long> ids = new ArrayList<>();
    private final Map<ObjectType, Long> active = new EnumMap<>(ObjectType.class);
    private final Map<ObjectType, Long> init = new EnumMap<>(ObjectType.class);
    private final Map<ObjectType, Long> second = new EnumMap<>(ObjectType.class);

    HostileWorld(BareMachine machine, int vcpus) {
        this.machine = machine;
        BareVm.Builder plan = machine.vm(VMID).caps(CAPS).gic(64);
        for (int i = 0; i < vcpus; i++) {
            plan.vcpu(BareVm.VcpuSpec.on(i).priority(TOP_PRIORITY).timeslice(100_000_000));
        }
        vm = plan.build();
        pa = machine.env().hlosBase() + (8L << 20);
        vm.map(RAM, pa, RAM_BYTES);
        write(pa, GuestMachine.image("abi"));
        own();
        victims();
    }

    private void own() {
        grant(machine.env().partitionCap(), ALL, ObjectType.PARTITION, active);
        grant(vm.cspace(), ALL, ObjectType.CSPACE, active);
        // not to unmap its own memory
        ids.add(machine.grant(vm.addrspace(), vm.cspace(), ALL & ~(1L << 1 | 1L << 4)));
        ids.add(machine.grant(vm.vic(), vm.cspace(), 1));
        // not to switch itself off, to end, to move or to disable itself
        ids.add(machine.grant(vm.vcpu(0), vm.cspace(), ALL & ~(1L | 1L << 1 | 1L << 7 | 1L << 9)));
    }

    private void victims() {
        otherCspace = keep(machine.newCspace(OTHER_CAPS));
        long cspace = otherCspace;
        grant(cspace, ALL, ObjectType.CSPACE, second);
        otherIds = new long[] {machine.grant(machine.env().partitionCap(), cspace), machine.grant(vm.vic(), cspace)};
        long space = keep(machine.newAddrspace(VICTIM_VMID));
        grant(space, ALL, ObjectType.ADDRSPACE, active);
        machine.call(0x60, space, 0x0900_0000L, 0x1_0000, 0);
        machine.call(0x60, space, MAPPED, POOL_PAGES * PAGE, 2);
        long pool = extent(machine.env().memextentCap(), pa + RAM_BYTES, POOL_PAGES * PAGE, Objects.SPARSE_RWX);
        machine.call(0x61, 0, machine.env().memextentCap(), pool, 0, POOL_PAGES * PAGE);
        long child = extent(pool, 0, 16 * PAGE, Objects.SPARSE_RWX);
        machine.call(0x61, 0, pool, child, 0, 4 * PAGE);
        long basic = extent(pool, 32 * PAGE, 2 * PAGE, Objects.BASIC_RWX);
        grant(pool, ALL, ObjectType.MEMEXTENT, active);
        grant(child, ALL, ObjectType.MEMEXTENT, second);
        ids.add(vm.grant(basic));
        machine.call(0x2B, space, pool, MAPPED, Objects.MAP_RWX, 3, 8 * PAGE, PAGE);
        machine.call(0x2B, space, child, 0x6000_0000L, Objects.MAP_RWX, 1, 0, 8 * PAGE);
        machine.call(0x2B, space, basic, 0x6100_0000L, 0xF_0044, 0, 0, 0);
        long vic = keep(machine.create(0x0A));
        machine.call(0x28, vic, 4, 64, 2, 0);
        machine.activate(vic);
        grant(vic, ALL, ObjectType.VIC, active);
        long queue = keep(machine.create(0x07));
        machine.call(0x21, queue, 4 | 240 << 16);
        machine.activate(queue);
        grant(queue, ALL, ObjectType.MSGQUEUE, active);
        grant(activated(0x06), ALL, ObjectType.DOORBELL, active);
        grant(activated(0x0B), ALL, ObjectType.VPM_GROUP, active);
        grant(machine.env().hwirqCaps().get(HwIrq.FIRST), ALL, ObjectType.HWIRQ, active);
        grant(thread(Objects.PROXY_SCHEDULED, cspace, space, vic, 0), ALL, ObjectType.THREAD, active);
        grant(thread(0, cspace, space, vic, 1), ALL, ObjectType.THREAD, second);
        grant(virtio(extent(pool, 40 * PAGE, PAGE, Objects.BASIC_RWX), 1 << 6), ALL, ObjectType.VIRTIO_MMIO, active);
        grant(virtio(extent(pool, 41 * PAGE, PAGE, Objects.BASIC_RWX), 0), ALL, ObjectType.VIRTIO_MMIO, second);
        for (ObjectType type : Objects.CREATE.keySet()) {
            grant(keep(machine.create(Objects.CREATE.get(type))), ALL, type, init);
        }
        badIds();
    }

    private void badIds() {
        long bell = activated(0x06);
        ids.add(vm.grant(bell));
        machine.call(0x59, machine.env().cspaceCap(), bell);
        long deleted = vm.grant(bell);
        machine.call(0x22, vm.cspace(), deleted);
        ids.add(deleted);
        ids.add(machine.grant(bell, machine.env().cspaceCap()));
        machine.call(0x22, machine.env().cspaceCap(), ids.getLast());
        ids.add(machine.env().partitionCap());
    }

    private long thread(long options, long cspace, long space, long vic, int index) {
        long thread = keep(machine.create(0x05));
        machine.call(0x34, thread, options);
        machine.call(0x3E, cspace, thread);
        machine.call(0x2A, space, thread);
        machine.call(0x29, vic, thread, index);
        machine.activate(thread);
        return thread;
    }

    /** @param flags bit 6: its type counts, an input device */
    private long virtio(long page, long flags) {
        long device = keep(machine.create(0x48));
        machine.call(0x49, device, page, 2, flags, 18);
        machine.activate(device);
        return device;
    }

    private long extent(long parent, long offset, long size, long attributes) {
        long extent = keep(machine.create(0x04));
        machine.call(0x32, extent, parent, offset, size, attributes);
        machine.activate(extent);
        return extent;
    }

    private long activated(int create) {
        long cap = keep(machine.create(create));
        machine.activate(cap);
        return cap;
    }

    private long keep(long cap) {
        made.add(cap);
        return cap;
    }

    private void grant(long cap, long rights, ObjectType type, Map<ObjectType, Long> to) {
        long id = machine.grant(cap, vm.cspace(), rights);
        to.put(type, id);
        ids.add(id);
    }

    /** {@return capability ids: of every kind and state, and of nothing} */
    List<Long> ids() {
        return ids;
    }

    /** {@return physical address of the pool} */
    long poolPa() {
        return pa + RAM_BYTES;
    }

    /**
     * A capability that an input accepts.
     *
     * @param again the call has an input of that type before
     */
    long good(Interface.Input input, boolean again) {
        if (input.type() == null) {
            return init.get(ObjectType.DOORBELL);
        }
        Map<ObjectType, Long> from = input.state() == Interface.Wanted.INIT ? init : active;
        return again && from == active ? second.getOrDefault(input.type(), active.get(input.type()))
                : from.getOrDefault(input.type(), 0L);
    }

    /** A row that loads a word until it is 1: calls begin when the power-on calls of the root VM have returned. */
    private static byte[] waitForGo() {
        ByteBuffer row = ByteBuffer.allocate(Script.ROW_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        row.putInt(0, 0x203).putLong(0x18, Integer.MAX_VALUE);
        row.putLong(0x28, RAM + GO).putLong(0x60, 1).putLong(0xA0, -1);
        return row.array();
    }

    /** Executes a table on each vCPU, all at once. {@return what went wrong with a vCPU, empty if nothing} */
    List<String> run(List<byte[]> tables) {
        for (int vcpu = 0; vcpu < tables.size(); vcpu++) {
            byte[] table = tables.get(vcpu);
            if (table.length > TABLE_BYTES - Script.ROW_BYTES) {
                throw new IllegalArgumentException("a table of %d bytes".formatted(table.length));
            }
            write(pa + TABLES + TABLE_BYTES * vcpu, waitForGo());
            write(pa + TABLES + TABLE_BYTES * vcpu + Script.ROW_BYTES, table);
            long block = PARAMETERS + PAGE * vcpu;
            write(pa + block, new byte[(int) PAGE]);
            write(pa + block, word(RAM + TABLES + TABLE_BYTES * vcpu));
        }
        write(pa + GO, word(0));
        for (int vcpu = 0; vcpu < tables.size(); vcpu++) {
            vm.powerOn(vcpu, RAM, RAM + PARAMETERS + PAGE * vcpu);
        }
        write(pa + GO, word(1));
        List<String> wrong = new ArrayList<>();
        long deadline = System.nanoTime() + LIMIT.toNanos();
        for (int vcpu = 0; vcpu < tables.size(); vcpu++) {
            long done = 0;
            while (done == 0 && !state(vcpu).equals("failed") && System.nanoTime() - deadline < 0) {
                LockSupport.parkNanos(200_000);
                done = read(vcpu, 0x10);
            }
            if (done != 1) {
                wrong.add("vCPU %d, row %d: %s".formatted(vcpu, read(vcpu, 0x20),
                        machine.hypervisor().describeVcpus(VMID).get(vcpu)));
            }
        }
        return wrong;
    }

    private String state(int vcpu) {
        return machine.hypervisor().statistics(VMID).get(vcpu).state();
    }

    private long read(int vcpu, int offset) {
        byte[] bytes = new byte[8];
        machine.hypervisor().memory().read(pa + PARAMETERS + PAGE * vcpu + offset, bytes, 0, 8);
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
    }

    /** {@return a vCPU's table as it left it} */
    ByteBuffer table(int vcpu, int length) {
        byte[] bytes = new byte[length];
        machine.hypervisor().memory().read(pa + TABLES + TABLE_BYTES * vcpu + Script.ROW_BYTES, bytes, 0, length);
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    private void write(long address, byte[] bytes) {
        machine.hypervisor().memory().write(address, bytes, 0, bytes.length);
    }

    private static byte[] word(long value) {
        return ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array();
    }

    /** Ends the guest and deletes every capability to its objects. */
    @Override
    public void close() {
        vm.kill();
        long deadline = System.nanoTime() + LIMIT.toNanos();
        for (int vcpu = 0; vcpu < vm.vcpuCount(); vcpu++) {
            while (!state(vcpu).equals("exited") && System.nanoTime() - deadline < 0) {
                LockSupport.parkNanos(100_000);
            }
        }
        vm.unmap(RAM, pa, RAM_BYTES);
        empty(vm.cspace(), CAPS, ids.get(0), ids.get(1));
        empty(otherCspace, OTHER_CAPS, otherIds[0], otherIds[1]);
        for (int vcpu = 0; vcpu < vm.vcpuCount(); vcpu++) {
            delete(vm.vcpu(vcpu));
        }
        delete(vm.cspace());
        delete(vm.addrspace());
        delete(vm.vic());
        made.reversed().forEach(this::delete);
    }

    /**
     * Deletes whatever the guest left in a cspace: it may hold capabilities to itself, directly or by its vCPUs, and
     * would never go. The ids of the first two slots tell those of all ({@code slot number * factor ^ base}).
     */
    private void empty(long cspace, int caps, long firstId, long secondId) {
        long factor = firstId ^ secondId;
        for (int slot = 0; slot < caps; slot++) {
            machine.tryCall(0x22, cspace, (slot / 64 << 8 | slot % 64) * factor ^ firstId);
        }
    }

    private void delete(long cap) {
        machine.call(0x22, machine.env().cspaceCap(), cap);
    }
}
