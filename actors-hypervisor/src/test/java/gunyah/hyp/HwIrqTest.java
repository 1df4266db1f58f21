package gunyah.hyp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import gunyah.hyp.hwirq.HardwareLine;
import gunyah.hyp.hwirq.HwIrq;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Hardware interrupts: the wire of a device, bound to controllers of guests that take and end what comes. */
@Tag("guest")
class HwIrqTest {
    private static final int BIND = 0x26;
    private static final int UNBIND = 0x27;
    private static final int SPI = HwIrq.FIRST;
    private static final long EXPECTS_WAKEUP = 1;
    private static final long VMMIO_READ = 4;
    private static final long VMMIO_WRITE = 5;
    private static final long UART = TestMachine.VMMIO_BASE;
    private static final long LEVEL = 0;
    private static final long EDGE = 2;
    private static final long ENABLE = 1 << 16;

    /** Sets the trigger mode and enables SPI 48 as the host answers, then sleeps, acknowledges, shows the INTID, ends it, for ever. */
    private static final int[] TAKES_INTERRUPTS = {
            0xD280_1E02, // mov x2, #0xf0
            0xD518_4602, // msr icc_pmr_el1, x2
            0xD280_0022, // mov x2, #1
            0xD518_CCE2, // msr icc_igrpen1_el1, x2
            0xD2A1_2014, // movz x20, #0x900, lsl #16
            0xD2A1_0015, // movz x21, #0x800, lsl #16
            0xD2A1_0141, // movz x1, #0x80a, lsl #16
            0xB900_143F, // str wzr, [x1, #0x14]    GICR_WAKER
            0x5280_0243, // mov w3, #0x12
            0xB900_02A3, // str w3, [x21]           GICD_CTLR
            0x1280_0004, // mov w4, #-1
            0xB900_86A4, // str w4, [x21, #0x84]    GICD_IGROUPR1
            0xF940_0286, // ldr x6, [x20]
            0xB90C_0EA6, // str w6, [x21, #0xc0c]   GICD_ICFGR3
            0xF940_0285, // ldr x5, [x20]
            0xB901_06A5, // str w5, [x21, #0x104]   GICD_ISENABLER1
            0xD503_207F, // loop: wfi
            0xD538_CC07, // mrs x7, icc_iar1_el1
            0xF900_0287, // str x7, [x20]
            0xD518_CC27, // msr icc_eoir1_el1, x7
            0x17FF_FFFC, // b loop
    };

    private final TestMachine machine = new TestMachine();
    private final TestMachine.Guest guest = machine.new Guest(TestMachine.GUEST, 1, TAKES_INTERRUPTS);
    private final long hwirq = machine.env.hwirqCaps().get(SPI);
    private final HardwareLine line = machine.hypervisor.hardwareLine(SPI);

    @AfterEach
    void stop() {
        machine.close();
    }

    private void boot(long trigger) {
        bootDisabled(trigger);
        assertThat(guest.run(ENABLE)).startsWith(0, EXPECTS_WAKEUP);
    }

    /** The next run says what to enable. */
    private void bootDisabled(long trigger) {
        guest.powerOn();
        assertThat(guest.run()).startsWith(0, VMMIO_READ, UART, 8);
        assertThat(guest.run(trigger)).startsWith(0, VMMIO_READ, UART, 8);
    }

    private long tryBind(long cap, long vic, long virq) {
        return machine.tryCall(BIND, cap, vic, virq, 0)[0];
    }

    private void takesTheInterrupt() {
        assertThat(guest.run()).startsWith(0, VMMIO_WRITE, UART, 8, SPI);
    }

    private void sleeps() {
        assertThat(guest.run()).startsWith(0, EXPECTS_WAKEUP);
    }

    @Test
    void aLevelComesAgainUntilTheDeviceIsServed() {
        machine.call(BIND, hwirq, guest.vic, SPI);
        boot(LEVEL);
        machine.hostInterrupts.clear();

        line.raise();

        await().atMost(Duration.ofSeconds(60)).until(() -> machine.hostInterrupts.contains(TestMachine.WAKEUP_VIRQ));
        takesTheInterrupt();
        takesTheInterrupt();
        line.lower();
        sleeps();
        line.raise();
        takesTheInterrupt();
        line.lower();
        sleeps();
    }

    @Test
    void anEdgeIsTakenOnceHoweverLongTheLevelStays() {
        machine.call(BIND, hwirq, guest.vic, SPI);
        boot(EDGE);

        line.raise();
        takesTheInterrupt();
        sleeps();
        line.lower();
        line.pulse();
        takesTheInterrupt();
        line.pulse();
        takesTheInterrupt();
        sleeps();
    }

    @Test
    void whatHappenedWhileUnboundIsSeenAtTheBinding() {
        line.raise();
        boot(LEVEL);
        machine.call(BIND, hwirq, guest.vic, SPI);
        takesTheInterrupt();
        machine.call(UNBIND, hwirq);
        sleeps();

        machine.call(BIND, hwirq, guest.vic, SPI);
        takesTheInterrupt();
        line.lower();
        sleeps();
    }

    @Test
    void anEdgeWhileUnboundIsRememberedOnce() {
        line.pulse();
        line.pulse();
        boot(EDGE);
        machine.call(BIND, hwirq, guest.vic, SPI);
        takesTheInterrupt();
        sleeps();
    }

    @Test
    void aLevelThatWentWhileDisabledIsTakenOnce() {
        machine.call(BIND, hwirq, guest.vic, SPI);
        bootDisabled(LEVEL);
        line.raise();
        line.lower();
        assertThat(guest.run(ENABLE)).startsWith(0, VMMIO_WRITE, UART, 8, SPI);
        sleeps();
    }

    @Test
    void theLineOfAnotherNumberIsTheGuestsChoice() {
        long other = machine.env.hwirqCaps().get(SPI + 5);
        machine.call(BIND, other, guest.vic, SPI);
        boot(LEVEL);
        machine.hypervisor.hardwareLine(SPI + 5).raise();
        takesTheInterrupt();
    }

    @Test
    void aDeletedInterruptReachesNobody() {
        machine.call(BIND, hwirq, guest.vic, SPI);
        boot(LEVEL);
        machine.call(0x22, machine.env.cspaceCap(), hwirq);
        line.raise();
        sleeps();
        assertThat(tryBind(machine.env.hwirqCaps().get(SPI + 1), guest.vic, SPI)).isZero();
    }

    @Test
    void aVmOfJavaHearsItByItsHandler() {
        machine.call(BIND, hwirq, machine.hostVic, 300);
        line.raise();
        assertThat(machine.hostInterrupts).containsExactly(300);
        line.pulse();
        assertThat(machine.hostInterrupts).containsExactly(300, 300);
    }

    @Test
    void bindingNeedsTheSecondRightAndAFreeSharedLine() {
        long[] plain = machine.call(0x23, machine.env.cspaceCap(), hwirq, machine.env.cspaceCap(), 1);
        assertThat(tryBind(plain[1], guest.vic, SPI)).isEqualTo(HypError.CSPACE_INSUFFICIENT_RIGHTS.code());
        long[] binder = machine.call(0x23, machine.env.cspaceCap(), hwirq, machine.env.cspaceCap(), 2);
        assertThat(tryBind(binder[1], guest.vic, 27)).isEqualTo(HypError.ARGUMENT_INVALID.code());
        assertThat(tryBind(binder[1], guest.vic, 1L << 24 | SPI)).isEqualTo(HypError.ARGUMENT_INVALID.code());
        assertThat(tryBind(binder[1], guest.vic, 32 + 96)).isEqualTo(HypError.ARGUMENT_INVALID.code());
        assertThat(tryBind(hwirq, hwirq, SPI)).isEqualTo(HypError.CSPACE_WRONG_OBJECT_TYPE.code());
        machine.call(BIND, binder[1], guest.vic, SPI);
        assertThat(tryBind(hwirq, guest.vic, SPI + 1)).isEqualTo(HypError.VIRQ_BOUND.code());
        assertThat(tryBind(machine.env.hwirqCaps().get(SPI + 1), guest.vic, SPI)).isEqualTo(HypError.BUSY.code());
        machine.call(UNBIND, binder[1]);
        assertThat(machine.tryCall(UNBIND, hwirq)[0]).isEqualTo(HypError.VIRQ_NOT_BOUND.code());
    }

    @Test
    void theMachineHasTheLinesItsRootVmIsToldOf() {
        assertThat(machine.env.hwirqCaps()).hasSize(HwIrq.COUNT).containsKeys(48, 79);
        machine.env.hwirqCaps().keySet().forEach(intid ->
                assertThat(machine.hypervisor.hardwareLine(intid).intid()).isEqualTo(intid));
        assertThatThrownBy(() -> machine.hypervisor.hardwareLine(80)).isInstanceOf(IllegalArgumentException.class);
    }

    /** Raising on one thread while another binds and unbinds: when both are done, a bound line that is high is seen. */
    @Test
    void aRaiseThatMeetsABindingIsNotLost() {
        boot(LEVEL);
        for (int round = 0; round < 200; round++) {
            CompletableFuture<Void> raised = CompletableFuture.runAsync(line::raise);
            machine.call(BIND, hwirq, guest.vic, SPI);
            raised.join();
            takesTheInterrupt();
            line.lower();
            machine.call(UNBIND, hwirq);
            sleeps();
        }
    }
}
