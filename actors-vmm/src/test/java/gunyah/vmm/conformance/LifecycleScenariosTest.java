package gunyah.vmm.conformance;

import static gunyah.vmm.conformance.Client.LEND;
import static gunyah.vmm.conformance.Client.R;
import static gunyah.vmm.conformance.Client.RWX;
import static gunyah.vmm.conformance.Client.SHARE;
import static gunyah.vmm.conformance.Client.W;
import static gunyah.vmm.conformance.Client.failed;
import static org.assertj.core.api.Assertions.assertThat;

import gunyah.rm.rpc.MessageId;
import gunyah.vmm.Scenario;
import gunyah.vmm.driver.Errno;
import gunyah.vmm.driver.HostMapping;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** START, close, and the order of everything between them. */
class LifecycleScenariosTest extends ScenarioTest {
    private static final long PSCI_CPU_ON = 0xC400_0003L;
    private static final long PSCI_SYSTEM_OFF = 0x8400_0008L;
    private static final Probe.Exit STATUS = new Probe.Exit(Probe.EXIT_STATUS);
    private static final int NOTIFICATION = 3;
    private static final int STATE_RESET = 11;

    private List<MessageId> requests() {
        return bench.tap.requestIds().stream().map(id -> MessageId.of(id).orElseThrow()).toList();
    }

    /** {@return payloads of the requests with that id} */
    private List<ByteBuffer> payloads(MessageId message) {
        return bench.tap.requests().stream().filter(packet -> Tap.id(packet) == message.id())
                .map(packet -> ByteBuffer.wrap(packet, 8, packet.length - 8).slice().order(ByteOrder.LITTLE_ENDIAN))
                .toList();
    }

    private static byte[] notification(MessageId message, int payloadBytes, java.util.function.Consumer<ByteBuffer> fill) {
        ByteBuffer packet = Client.bytes(8 + payloadBytes);
        packet.put(0, (byte) 0x21).put(1, (byte) NOTIFICATION).putInt(4, message.id());
        ByteBuffer payload = packet.slice(8, payloadBytes).order(ByteOrder.LITTLE_ENDIAN);
        fill.accept(payload);
        return packet.array();
    }

    private static byte[] exited(int vmid) {
        return notification(MessageId.VM_EXITED, 12, payload -> payload.putShort(0, (short) vmid).putShort(2, (short) 1)
                .putInt(4, 4));
    }

    @Test
    @Scenario(31)
    void startTalksToTheResourceManagerInOneOrder() {
        Guest guest = Guest.prepared(client, 1);
        bench.tap.record();

        guest.start();

        assertThat(requests()).containsExactly(MessageId.VM_ALLOC_VMID, MessageId.MEM_LEND, MessageId.VM_CONFIG_IMAGE,
                MessageId.VM_SET_DEMAND_PAGING, MessageId.VM_SET_ADDRESS_LAYOUT, MessageId.VM_INIT,
                MessageId.VM_SET_BOOT_CONTEXT, MessageId.VM_GET_HYP_RESOURCES, MessageId.VM_START);
    }

    @Test
    @Scenario(32)
    void startOfARunningVmDoesNothing() {
        Guest guest = Guest.started(client, 1);
        bench.tap.record();

        assertThat(client.start(guest.vm)).isZero();

        assertThat(requests()).isEmpty();
    }

    @Test
    @Scenario(33)
    void aVmWithoutADeviceTreeDoesNotStart() {
        int vm = client.createVm();
        bench.tap.record();
        assertThat(client.start(vm)).isEqualTo(failed(Errno.EINVAL));
        assertThat(client.start(vm)).isEqualTo(failed(Errno.ENODEV));

        assertThat(client.close(vm)).isZero();

        assertThat(requests()).containsExactly(MessageId.VM_ALLOC_VMID, MessageId.VM_DEALLOC_VMID);
    }

    @Test
    @Scenario({34, 35})
    void theDeviceTreeIsInsideOneBinding() {
        Guest outside = Guest.prepared(client, 1);
        client.setDtb(outside.vm, Guest.RAM + Guest.RAM_SIZE, 4096);
        assertThat(client.start(outside.vm)).isEqualTo(failed(Errno.ENOENT));

        Guest leaving = Guest.prepared(client, 1);
        client.setDtb(leaving.vm, Guest.RAM + Guest.RAM_SIZE - 4096, 8192);
        assertThat(client.start(leaving.vm)).isEqualTo(failed(Errno.ENOENT));
    }

    @Test
    @Scenario(36)
    void theResourceManagerWantsTheDeviceTreeExecutable() {
        Guest guest = Guest.prepared(client, 1, LEND | R | W, 0);

        assertThat(client.start(guest.vm)).isNegative();
    }

    @Test
    @Scenario(37)
    void theDeviceWindowEndsWhereLentMemoryBegins() {
        Guest guest = Guest.prepared(client, 1);
        int memory = (int) client.createMemory(Guest.DTB_SIZE, 0);
        client.write(memory, 0, Guest.tree(1));
        assertThat(client.map(guest.vm, LEND | RWX, memory, 0x8_0000, 0, Guest.DTB_SIZE)).isZero();
        client.setDtb(guest.vm, 0x8_0000, Guest.DTB_SIZE);

        // the reference's Resource Manager has one fixed window and refuses
        guest.start();

        assertThat(guest.cpu().load(0x8_0000, 4)).isEqualTo(new Probe.Value(0xEDFE_0DD0L));
    }

    @Test
    @Scenario(38)
    void aDeviceTreeThatTheHostStillMapsIsNotLent() {
        Guest guest = Guest.prepared(client, 1);
        HostMapping mapping = client.mmap(guest.memory, Guest.DTB - Guest.RAM, 4096);
        assertThat(client.start(guest.vm)).isEqualTo(failed(Errno.EPERM));
        mapping.close();
        guest.close();

        Guest.started(client, 1);
    }

    /** Steps of START by the request that fails. */
    enum Step {
        VM_ALLOC_VMID, MEM_LEND, VM_CONFIG_IMAGE, VM_SET_DEMAND_PAGING, VM_SET_ADDRESS_LAYOUT, VM_INIT,
        VM_SET_BOOT_CONTEXT, VM_GET_HYP_RESOURCES, VM_START;

        MessageId message() {
            return MessageId.valueOf(name());
        }
    }

    @ParameterizedTest
    @EnumSource(Step.class)
    @Scenario({39, 40, 41})
    void aStepThatFailsEndsTheStartAndLeavesNothing(Step step) {
        int before = bench.device.usedHostPages();
        Guest guest = Guest.prepared(client, 1);
        bench.tap.record();
        bench.tap.breakRequest(step.message().id());

        assertThat(client.start(guest.vm)).as(step.name()).isNegative();

        assertThat(requests()).last().isEqualTo(step.message());
        bench.tap.clear();
        if (step == Step.VM_ALLOC_VMID) {
            guest.start();
        } else {
            assertThat(client.start(guest.vm)).isEqualTo(failed(Errno.ENODEV));
            bench.tap.record();
        }
        guest.close();
        assertThat(bench.device.usedHostPages()).isEqualTo(before);
        if (step != Step.VM_ALLOC_VMID) {
            List<MessageId> expected = new ArrayList<>();
            if (step.ordinal() > Step.MEM_LEND.ordinal()) {
                expected.add(MessageId.MEM_RECLAIM);
            }
            if (step.ordinal() >= Step.VM_INIT.ordinal()) {
                expected.add(MessageId.VM_RESET);
            }
            expected.add(MessageId.VM_DEALLOC_VMID);
            assertThat(requests()).isEqualTo(expected);
        }
    }

    @Test
    @Scenario(42)
    void closingStopsTakesBackAndForgetsInThisOrder() {
        Guest guest = Guest.started(client, 1);
        assertThat(guest.cpu().get(Guest.FREE)).isZero();
        List<String> order = new ArrayList<>();
        bench.tap.request(packet -> {
            order.add(MessageId.of(Tap.id(packet)).orElseThrow().name());
            return packet;
        });
        bench.tap.replies(message -> {
            if ((message[1] & 3) == NOTIFICATION) {
                order.add("notified " + MessageId.of(Tap.id(message)).orElseThrow());
            }
            return message;
        });
        bench.tap.after((arguments, results) -> {
            if (arguments[0] == Tap.DONATE && !order.getLast().equals("donated back")) {
                order.add("donated back");
            }
        });

        guest.close();

        assertThat(order).filteredOn(event -> !event.equals("notified VM_STATUS")).containsExactly("VM_STOP",
                "notified VM_EXITED", "donated back", "VM_RESET", "VM_DEALLOC_VMID");
        assertThat(order.lastIndexOf("notified VM_STATUS")).isEqualTo(order.indexOf("VM_DEALLOC_VMID") - 1);
    }

    @Test
    @Scenario(43)
    void aGuestMayEndByItselfWhileItIsClosed() {
        int before = bench.device.usedHostPages();
        for (int i = 0; i < 20; i++) {
            Guest guest = Guest.started(client, 1);
            CompletableFuture<Probe.Outcome> off = async(() -> guest.cpu().lastCall(PSCI_SYSTEM_OFF));
            client.close(guest.vm);
            client.close(guest.cpu().fd);
            assertThat(Bench.get(off)).isIn(STATUS, new Probe.Failed(Errno.EBADF.number()),
                    new Probe.Failed(Errno.EINTR.number()));
            client.close(guest.memory);
        }
        // a close that overtook its RUN ends when that returns
        assertThat(bench.device.usedHostPages()).isEqualTo(before);
    }

    @Test
    @Scenario(44)
    void aStopThatIsRefusedIsNotWaitedForForEver() {
        Guest guest = Guest.started(client, 1);
        bench.tap.record();
        bench.tap.breakRequest(MessageId.VM_STOP.id());

        guest.close();

        assertThat(requests()).startsWith(MessageId.VM_STOP).endsWith(MessageId.VM_DEALLOC_VMID);
    }

    @Test
    @Scenario(45)
    void aResetThatIsRefusedIsNotWaitedFor() {
        Guest guest = Guest.started(client, 1);
        bench.tap.record();
        bench.tap.breakRequest(MessageId.VM_RESET.id());

        guest.close();

        assertThat(requests()).containsExactly(MessageId.VM_STOP, MessageId.VM_RESET, MessageId.VM_DEALLOC_VMID);
    }

    @Test
    @Scenario(46)
    void aVmMayEndBeforeItsStartIsAnswered() {
        Guest guest = Guest.prepared(client, 1);
        bench.tap.request(packet -> {
            if (Tap.id(packet) == MessageId.VM_START.id()) {
                bench.tap.inject(exited(ByteBuffer.wrap(packet).order(ByteOrder.LITTLE_ENDIAN).getShort(8)));
            }
            return packet;
        });

        client.start(guest.vm);

        assertThat(guest.cpu().go()).isEqualTo(STATUS);
        assertThat(guest.cpu().page.exitType()).isEqualTo(1);
    }

    @Test
    @Scenario(47)
    void aVcpuKeepsItsVm() {
        Guest guest = Guest.started(client, 1);
        bench.tap.record();
        assertThat(client.close(guest.vm)).isZero();
        assertThat(guest.cpu().get(Guest.FREE)).isZero();
        assertThat(requests()).isEmpty();

        assertThat(client.close(guest.cpu().fd)).isZero();

        assertThat(requests()).last().isEqualTo(MessageId.VM_DEALLOC_VMID);
    }

    @Test
    @Scenario(48)
    void theResetOfAnotherVmIsNone() {
        Guest guest = Guest.started(client, 1);
        bench.tap.inject(notification(MessageId.VM_STATUS, 8,
                payload -> payload.putShort(0, (short) 0x777).put(2, (byte) STATE_RESET)));
        Guest.started(client, 1);

        assertThat(guest.cpu().get(Guest.FREE)).isZero();
    }

    @Test
    @Scenario(50)
    void theLastDeviceTreeCounts() {
        Guest guest = Guest.prepared(client, 1);
        client.setDtb(guest.vm, 0x1000, 0x1000);
        client.setDtb(guest.vm, Guest.DTB, Guest.DTB_SIZE - 0x1000);
        bench.tap.record();

        guest.start();

        assertThat(payloads(MessageId.VM_CONFIG_IMAGE).getFirst().getLong(32)).isEqualTo(Guest.DTB_SIZE - 0x1000);
    }

    @Test
    @Scenario(52)
    void everyBootRegisterIsSentOnceInOrder() {
        Guest guest = Guest.prepared(client, 1);
        client.setRegister(guest.vm, 2, 1, 0x5000);
        client.setRegister(guest.vm, 1, 0, 0xBAD0);
        client.setRegister(guest.vm, 1, 0, Guest.RAM);
        client.setRegister(guest.vm, 0, 0, 0x99);
        bench.tap.record();

        assertThat(client.start(guest.vm)).isZero();

        List<ByteBuffer> sent = payloads(MessageId.VM_SET_BOOT_CONTEXT);
        assertThat(sent).extracting(in -> (int) in.get(2)).as("sets").containsExactly(0, 1, 2);
        assertThat(sent).extracting(in -> in.getLong(8)).containsExactly(0x99L, Guest.RAM, 0x5000L);
        assertThat(guest.cpu().go()).isEqualTo(new Probe.Value(0x99));
    }

    @Test
    @Scenario(53)
    void bootRegistersOfARunningVmAreTooLate() {
        assertThat(client.setRegister(Guest.started(client, 1).vm, 0, 0, 1)).isEqualTo(failed(Errno.EINVAL));
    }

    @Test
    @Scenario({59, 60})
    void aVcpuMayComeAfterTheStart() {
        Guest guest = Guest.prepared(client, 1);
        client.write(guest.memory, Guest.DTB - Guest.RAM, Guest.tree(2));
        guest.start();
        Probe late = new Probe(client, client.addVcpu(guest.vm, 1));
        CompletableFuture<Probe.Outcome> up = async(late::go);

        assertThat(guest.cpu().call(PSCI_CPU_ON, 1, Guest.RAM, 3)[0]).isZero();

        assertThat(Bench.get(up)).isEqualTo(new Probe.Value(3));

        Guest unclaimed = Guest.prepared(client, 1);
        client.write(unclaimed.memory, Guest.DTB - Guest.RAM, Guest.tree(2));
        unclaimed.start();
        assertThat(unclaimed.cpu().lastCall(PSCI_SYSTEM_OFF)).isEqualTo(STATUS);
        unclaimed.close();
    }

    @Test
    @Scenario(135)
    void anUnprotectedVmStarts() {
        Guest guest = Guest.prepared(client, 1, SHARE | RWX, 0);

        assertThat(client.start(guest.vm)).isZero();
    }

    @Test
    @Scenario(136)
    void twoStartsAreOne() {
        Guest guest = Guest.prepared(client, 1);
        bench.tap.record();
        CompletableFuture<Long> first = async(() -> client.start(guest.vm));
        CompletableFuture<Long> second = async(() -> client.start(guest.vm));

        assertThat(Bench.get(first)).isZero();
        assertThat(Bench.get(second)).isZero();
        assertThat(requests()).containsOnlyOnce(MessageId.VM_ALLOC_VMID, MessageId.VM_START);
    }

    @Test
    @Scenario(137)
    void aStartUsesOneDeviceTreeSetting() {
        for (int i = 0; i < 20; i++) {
            Guest guest = Guest.prepared(client, 1);
            bench.tap.record();
            AtomicBoolean done = new AtomicBoolean();
            CompletableFuture<Boolean> setter = async(() -> {
                for (int n = 0; !done.get(); n++) {
                    client.setDtb(guest.vm, Guest.DTB, Guest.DTB_SIZE - n % 2 * 0x2000);
                }
                return true;
            });
            assertThat(client.start(guest.vm)).isZero();
            done.set(true);
            Bench.get(setter);
            long size = payloads(MessageId.VM_CONFIG_IMAGE).getFirst().getLong(32);
            assertThat(payloads(MessageId.VM_SET_ADDRESS_LAYOUT).getFirst().getLong(16)).isEqualTo(size);
            bench.tap.clear();
            guest.close();
        }
    }

    @Test
    @Scenario(139)
    void theLateEndOfAFormerVmIsNotTheNextOnes() {
        Guest guest = Guest.prepared(client, 1);
        bench.tap.request(packet -> {
            if (Tap.id(packet) == MessageId.VM_CONFIG_IMAGE.id()) {
                bench.tap.inject(exited(ByteBuffer.wrap(packet).order(ByteOrder.LITTLE_ENDIAN).getShort(8)));
            }
            return packet;
        });

        guest.start();

        assertThat(guest.cpu().get(Guest.FREE)).isZero();
    }

    @Test
    @Scenario(141)
    void aSmallDeviceTreeStillHasAPage() {
        Guest guest = Guest.prepared(client, 1);
        client.setDtb(guest.vm, Guest.DTB, 100);
        bench.tap.record();

        client.start(guest.vm);

        assertThat(requests()).contains(MessageId.MEM_LEND, MessageId.VM_CONFIG_IMAGE);
    }
}
