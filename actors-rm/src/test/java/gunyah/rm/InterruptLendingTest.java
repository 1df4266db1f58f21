package gunyah.rm;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.config.fdt.DtNode;
import gunyah.hyp.hwirq.HardwareLine;
import gunyah.rm.rpc.BootContext;
import gunyah.rm.rpc.Fragmenter;
import gunyah.rm.rpc.IrqAccept;
import gunyah.rm.rpc.IrqHandle;
import gunyah.rm.rpc.IrqLend;
import gunyah.rm.rpc.IrqNotify;
import gunyah.rm.rpc.MessageId;
import gunyah.rm.rpc.PacketType;
import gunyah.rm.rpc.Payload;
import gunyah.rm.rpc.RmError;
import gunyah.rm.rpc.RmMessage;
import gunyah.rm.rpc.StopRequest;
import gunyah.rm.rpc.VmRequest;
import gunyah.rm.rpc.VmState;
import gunyah.rm.rpc.WireReader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * A hardware interrupt of the primary VM, lent to a guest. Guest code accepts it by messages of its own, takes it from
 * its interrupt controller and gives it back.
 */
class InterruptLendingTest {
    private static final int IRQ = 48;
    private static final long VMMIO_WRITE = 5;
    private static final long SHOWN_INTID = 0x0900_0000L;
    private static final long SHOWN_ERROR = 0x0900_0010L;
    private static final int MESSAGES = 0x400;
    private static final int MESSAGE_ROOM = 0x100;

    private final RealHost host = new RealHost(2, 256L << 20);
    private final PagedGuest guest = new PagedGuest(host);

    /** Two messages sent, SPI 48 taken twice, two messages sent; the host sees every step as a store. */
    private static final int[] PROGRAM = {
            0x1000_0013, // adr x19, .
            0xD280_1E02, // mov x2, #0xf0
            0xD518_4602, // msr icc_pmr_el1, x2
            0xD280_0022, // mov x2, #0x1
            0xD518_CCE2, // msr icc_igrpen1_el1, x2
            0xD2A7_FFA1, // mov x1, #0x3ffd0000
            0xB900_143F, // str wzr, [x1, #20]      GICR_WAKER
            0xD2A7_FFF5, // mov x21, #0x3fff0000
            0x5280_0243, // mov w3, #0x12
            0xB900_02A3, // str w3, [x21]           GICD_CTLR
            0x1280_0004, // mov w4, #0xffffffff
            0xB900_86A4, // str w4, [x21, #132]     GICD_IGROUPR1
            0x52A0_0025, // mov w5, #0x10000
            0xB901_06A5, // str w5, [x21, #260]     GICD_ISENABLER1
            0xD2A1_2014, // mov x20, #0x9000000
            0x9110_0276, // add x22, x19, #0x400
            0x9400_0007, // bl send
            0x9400_0006, // bl send
            0x9400_000F, // bl take
            0x9400_000E, // bl take
            0x9400_0003, // bl send
            0x9400_0002, // bl send
            0x1400_0000, // b .
            0xD290_0360, // send: mov x0, #0x801b
            0xF2B8_C000, // movk x0, #0xc600, lsl #16
            0xA940_0AC1, // ldp x1, x2, [x22]
            0x9100_42C3, // add x3, x22, #0x10
            0xD280_0024, // mov x4, #0x1
            0xD280_0005, // mov x5, #0x0
            0xD400_0002, // hvc #0x0
            0xF900_0A80, // str x0, [x20, #16]
            0x9104_02D6, // add x22, x22, #0x100
            0xD65F_03C0, // ret
            0xD503_207F, // take: wfi
            0xD538_CC07, // mrs x7, icc_iar1_el1
            0xF900_0287, // str x7, [x20]
            0xD518_CC27, // msr icc_eoir1_el1, x7
            0xD65F_03C0, // ret
    };

    @AfterEach
    void stop() {
        host.close();
    }

    private HardwareLine line() {
        return host.hypervisor.hardwareLine(IRQ);
    }

    /** {@return the guest's capability to the queue towards the Resource Manager, as its device tree says} */
    private long requestQueue() {
        DtNode node = guest.patched().find("/hypervisor").orElseThrow().children().stream()
                .filter(child -> child.name().startsWith("rm@")).findFirst().orElseThrow();
        return DtNode.number(node.cells("reg").orElseThrow(), 0, 2);
    }

    /** Starts the guest, which sends these messages. */
    private void start(RmMessage... messages) {
        host.ok(MessageId.VM_SET_BOOT_CONTEXT,
                new BootContext(guest.vmid, BootContext.SET_PC, 0, PagedGuest.PAGE_IPA));
        guest.start();
        ByteBuffer page = ByteBuffer.allocate(0x1000).order(ByteOrder.LITTLE_ENDIAN);
        for (int word : PROGRAM) {
            page.putInt(word);
        }
        long queue = requestQueue();
        int at = MESSAGES;
        for (RmMessage message : messages) {
            byte[] packet = Fragmenter.split(message).getFirst();
            page.position(at).putLong(queue).putLong(packet.length).put(packet);
            at += MESSAGE_ROOM;
        }
        host.port.write(PagedGuest.PAGE, page.array(), 0, page.capacity());
        guest.lendAPage();
    }

    private int lend() {
        return new WireReader(host.ok(MessageId.VM_IRQ_LEND, new IrqLend(guest.vmid, IRQ, 7))).u32();
    }

    /** The interrupt is the primary VM's own again. */
    private void reclaimed(int handle) {
        host.ok(MessageId.VM_IRQ_RECLAIM, new IrqHandle(handle));
        host.fired.remove(IRQ);
        line().raise();
        host.awaitFired(IRQ);
    }

    private static RmMessage message(int sequence, MessageId id, Payload payload) {
        return new RmMessage(PacketType.REQUEST, sequence, id.id(), payload.encode());
    }

    private void hears(MessageId notification, int handle) {
        assertThat(IrqHandle.decode(host.await(notification, payload -> true).payload()).handle()).isEqualTo(handle);
    }

    @Test
    void aLentInterruptReachesTheGuestAndComesBack() {
        guest.configure(GuestTrees.linked("borrower"));
        int handle = lend();
        assertThat(host.error(MessageId.VM_IRQ_LEND, new IrqLend(guest.vmid, IRQ, 7))).isEqualTo(RmError.IRQ_INUSE);
        start(message(0, MessageId.VM_IRQ_ACCEPT, new IrqAccept(handle, IrqAccept.ANY)),
                message(1, MessageId.VM_IRQ_NOTIFY, new IrqNotify(handle, IrqNotify.ACCEPTED, List.of())),
                message(2, MessageId.VM_IRQ_RELEASE, new IrqHandle(handle)),
                message(3, MessageId.VM_IRQ_NOTIFY, new IrqNotify(handle, IrqNotify.RELEASED, List.of())));

        assertThat(guest.run()).startsWith(0, VMMIO_WRITE, SHOWN_ERROR, 8, 0);
        assertThat(guest.run()).startsWith(0, VMMIO_WRITE, SHOWN_ERROR, 8, 0);
        hears(MessageId.VM_IRQ_ACCEPTED, handle);
        assertThat(host.error(MessageId.VM_IRQ_RECLAIM, new IrqHandle(handle))).isEqualTo(RmError.IN_USE);
        host.fired.remove(IRQ);
        line().raise();
        assertThat(host.fired).doesNotContain(IRQ);
        assertThat(guest.run()).startsWith(0, VMMIO_WRITE, SHOWN_INTID, 8, IRQ);
        assertThat(guest.run()).startsWith(0, VMMIO_WRITE, SHOWN_INTID, 8, IRQ);
        line().lower();
        assertThat(guest.run()).startsWith(0, VMMIO_WRITE, SHOWN_ERROR, 8, 0);
        assertThat(guest.run()).startsWith(0, VMMIO_WRITE, SHOWN_ERROR, 8, 0);
        hears(MessageId.VM_IRQ_RELEASED, handle);
        reclaimed(handle);
    }

    @Test
    void aGuestThatDiesGivesItsInterruptBack() {
        guest.configure(GuestTrees.linked("borrower"));
        int handle = lend();
        start(message(0, MessageId.VM_IRQ_ACCEPT, new IrqAccept(handle, IrqAccept.ANY)),
                message(1, MessageId.VM_IRQ_NOTIFY, new IrqNotify(handle, IrqNotify.ACCEPTED, List.of())));
        guest.run();
        guest.run();
        hears(MessageId.VM_IRQ_ACCEPTED, handle);

        host.ok(MessageId.VM_STOP, new StopRequest(guest.vmid, 1, 3));
        guest.takePageBack();
        host.ok(MessageId.VM_RESET, new VmRequest(guest.vmid));

        hears(MessageId.VM_IRQ_RELEASED, handle);
        host.awaitState(guest.vmid, VmState.RESET);
        reclaimed(handle);
    }
}
