package gunyah.rm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import gunyah.config.fdt.DtNode;
import gunyah.hyp.MachineState;
import gunyah.rm.rpc.AclEntry;
import gunyah.rm.rpc.ConfigImage;
import gunyah.rm.rpc.MemRange;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.ParcelCreate;
import gunyah.rm.rpc.ParcelReturn;
import gunyah.rm.rpc.StopRequest;
import gunyah.rm.rpc.VmExited;
import gunyah.rm.rpc.VmRequest;
import gunyah.rm.rpc.VmState;
import gunyah.rm.rpc.WireReader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Eight clients at once create, start, stop and deallocate VMs that the hypervisor schedules; half of these power
 * themselves off, half are stopped while they spin. Afterwards the machine is what it was: every object, capability,
 * interrupt line, mapping and page, and no thread is left. {@code -Dgunyah.rm.vms=500} sets how many VMs.
 * {@code -Dgunyah.rm.vms-at-once=2000} sets how many run at the same time in the other test.
 */
@Tag("guest")
class ManyVmsTest {
    private static final int CLIENTS = 8;
    private static final int VMS = Integer.getInteger("gunyah.rm.vms", 48);
    private static final int AT_ONCE = Integer.getInteger("gunyah.rm.vms-at-once", 100);
    private static final int PCPUS = 3;
    private static final long MEMORY = 0x4300_0000L;
    private static final int IMAGE_SIZE = 0x1_0000;
    private static final int TREE_OFFSET = 0x8000;
    private static final byte[] POWER_OFF = {0, 1, (byte) 0x80, 0x52, 0, (byte) 0x80, (byte) 0xb0, 0x72, 2, 0, 0,
        (byte) 0xd4};
    private static final byte[] SPIN = {0, 0, 0, 0x14};
    /** {@code wfi; b .-4} */
    private static final byte[] SLEEP = {0x7f, 0x20, 3, (byte) 0xd5, (byte) 0xff, (byte) 0xff, (byte) 0xff, 0x17};

    private record Guest(int vmid, int handle, long image) {
    }

    @Test
    @Invariant({"S3", "S4"})
    void manyVmsLeaveNothingBehind() throws Exception {
        try (RealHost host = new RealHost(PCPUS, 256L << 20);
                ExecutorService clients = Executors.newFixedThreadPool(CLIENTS)) {
            live(host, 0, 0);
            live(host, 0, 1);
            // that of the primary VM; threads end a moment after their VM
            await().atMost(Duration.ofMinutes(1)).until(() -> vcpuThreads() == 1);
            MachineState before = host.atRest();
            AtomicInteger next = new AtomicInteger();
            long beganNs = System.nanoTime();
            List<Future<Integer>> counts = new ArrayList<>();
            for (int client = 0; client < CLIENTS; client++) {
                int slot = client;
                counts.add(clients.submit(() -> {
                    int lived = 0;
                    for (int vm = next.getAndIncrement(); vm < VMS; vm = next.getAndIncrement()) {
                        live(host, slot, vm);
                        lived++;
                    }
                    return lived;
                }));
            }
            int all = 0;
            for (Future<Integer> count : counts) {
                all += count.get();
            }

            System.out.printf("%d lives of VMs, %.1f a second%n", all, all * 1e9 / (System.nanoTime() - beganNs));
            assertThat(all).isEqualTo(VMS);
            host.awaitSame(before, "what is left");
            assertThat(host.hypervisor.vmids()).containsExactly(3, 255);
            await().atMost(Duration.ofMinutes(1)).until(() -> vcpuThreads() == 1);
            int vmid = new WireReader(host.ok(MessageId.VM_ALLOC_VMID, new VmRequest(0))).u32();
            assertThat(vmid).as("the smallest VMID is free again").isEqualTo(128);
        }
    }

    @Test
    @Invariant({"S3", "S4"})
    void manyVmsRunAtOnce() {
        try (RealHost host = new RealHost(PCPUS, 256L << 20)) {
            for (int life = 0; life < 2; life++) {
                end(host, start(host, MEMORY, bare(0), SLEEP), true);
            }
            await().atMost(Duration.ofMinutes(1)).until(() -> vcpuThreads() == 1);
            MachineState before = host.atRest();
            List<Guest> guests = new ArrayList<>();
            long beganNs = System.nanoTime();

            for (int i = 0; i < AT_ONCE; i++) {
                guests.add(start(host, MEMORY + (long) i * IMAGE_SIZE, bare(i), SLEEP));
            }

            long startedNs = System.nanoTime();
            for (Guest guest : guests) {
                await().atMost(Duration.ofMinutes(1)).pollDelay(Duration.ZERO).until(() ->
                        host.hypervisor.statistics(guest.vmid).getFirst().retired() > 0);
                assertThat(host.ok(MessageId.VM_GET_STATE, new VmRequest(guest.vmid))).as("VM %d runs", guest.vmid)
                        .startsWith(VmState.RUNNING.value());
            }
            assertThat(host.hypervisor.vmids()).hasSize(AT_ONCE + 2);
            assertThat(guests).extracting(Guest::vmid).doesNotHaveDuplicates();
            guests.forEach(guest -> end(host, guest, true));
            System.out.printf("%d VMs at once, %.1f starts a second, all together %.1f s%n", AT_ONCE,
                    AT_ONCE * 1e9 / (startedNs - beganNs), (System.nanoTime() - beganNs) / 1e9);
            host.awaitSame(before, "what is left");
            await().atMost(Duration.ofMinutes(1)).until(() -> vcpuThreads() == 1);
        }
    }

    private static DtNode bare(int number) {
        DtNode tree = Agent.tree("vm" + number, number % PCPUS);
        DtNode devices = GuestTrees.devices(tree);
        List.copyOf(devices.children()).forEach(devices::remove);
        return tree;
    }

    /** {@return threads of this process that are vCPUs} */
    static long vcpuThreads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().matches("vm-[0-9]+/vcpu-[0-9]+")).count();
    }

    /** The life of one VM from ALLOCATE to DEALLOCATE; clients of different slots may run at once. */
    static void live(RealHost host, int slot, int number) {
        boolean off = number % 2 == 0;
        DtNode tree = Agent.tree("vm" + number, number % PCPUS);
        GuestTrees.devices(tree).remove(GuestTrees.devices(tree).child("page").orElseThrow());
        end(host, start(host, MEMORY + (long) slot * IMAGE_SIZE, tree, off ? POWER_OFF : SPIN), !off);
    }

    /** @param image where the VM's program and tree are put in the primary VM's memory */
    private static Guest start(RealHost host, long image, DtNode tree, byte[] program) {
        int vmid = new WireReader(host.ok(MessageId.VM_ALLOC_VMID, new VmRequest(0))).u32();
        byte[] blob = GuestTrees.blob(tree);
        host.port.write(image, program, 0, program.length);
        host.port.write(image + TREE_OFFSET, blob, 0, blob.length);
        int handle = new WireReader(host.ok(MessageId.MEM_LEND, new ParcelCreate(0, 0, 0,
                List.of(new AclEntry(vmid, 7)), List.of(new MemRange(image, IMAGE_SIZE)), List.of()))).u32();
        host.ok(MessageId.VM_CONFIG_IMAGE,
                new ConfigImage(vmid, 0, handle, 0, TREE_OFFSET, TREE_OFFSET, IMAGE_SIZE - TREE_OFFSET));
        host.ok(MessageId.VM_INIT, new VmRequest(vmid));
        host.ok(MessageId.VM_START, new VmRequest(vmid));
        return new Guest(vmid, handle, image);
    }

    /** @param stops whether it would not end by itself */
    private static void end(RealHost host, Guest guest, boolean stops) {
        int vmid = guest.vmid;
        if (stops) {
            host.ok(MessageId.VM_STOP, new StopRequest(vmid, 1, 3));
        }
        host.await(MessageId.VM_EXITED, payload -> VmExited.decode(payload).vmid() == vmid);
        host.ok(MessageId.VM_RESET, new VmRequest(vmid));
        host.awaitState(vmid, VmState.RESET);
        host.ok(MessageId.MEM_RECLAIM, new ParcelReturn(guest.handle, 0));
        host.ok(MessageId.VM_DEALLOC_VMID, new VmRequest(vmid));
        host.port.write(guest.image, new byte[IMAGE_SIZE], 0, IMAGE_SIZE);
    }
}
