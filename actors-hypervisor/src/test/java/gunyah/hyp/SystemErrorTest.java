package gunyah.hyp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The SError that a device's model raises: a guest in WFI wakes, sees it in ISR_EL1 and takes it when it unmasks it. */
@Tag("guest")
class SystemErrorTest {
    private static final long EXPECTS_WAKEUP = 1;
    private static final long VMMIO_WRITE = 5;
    private static final int VECTORS = 0x800;
    /** At the start of RAM. */
    private static final int[] MAIN = {
            0xD2A1_2014, // mov x20, #0x9000000
            0x10FF_FFE0, // adr x0, start
            0x9120_0000, // add x0, x0, #0x800
            0xD518_C000, // msr vbar_el1, x0
            0xD503_207F, // wfi
            0xD538_C101, // mrs x1, isr_el1
            0xF900_0281, // str x1, [x20]
            0xD503_44FF, // msr daifclr, #4
            0x1400_0000, // b .
    };
    /** At VBAR_EL1 + 0x380. */
    private static final int[] SERROR = {
            0xD538_5201, // mrs x1, esr_el1
            0xF900_0281, // str x1, [x20]
            0xD538_C101, // mrs x1, isr_el1
            0xF900_0281, // str x1, [x20]
            0xD69F_03E0, // eret
    };

    @Test
    void aGuestTakesTheErrorOnce() {
        try (TestMachine machine = new TestMachine()) {
            TestMachine.Guest guest = machine.new Guest(TestMachine.GUEST, 2, MAIN);
            machine.write(TestMachine.GUEST_PA + VECTORS + 0x380, SERROR);
            guest.powerOn();
            assertThat(guest.run()).startsWith(0, EXPECTS_WAKEUP);

            machine.hypervisor.systemError(TestMachine.GUEST, 0, 0x155_AA55);

            assertThat(written(guest)).as("ISR_EL1").isEqualTo(0x100);
            assertThat(written(guest)).as("ESR_EL1").isEqualTo(0xBF55_AA55L);
            assertThat(written(guest)).as("ISR_EL1 in the handler").isZero();
        }
    }

    @Test
    void aVcpuThatDoesNotExistIsRefused() {
        try (TestMachine machine = new TestMachine()) {
            machine.new Guest(TestMachine.GUEST, 1, MAIN);

            assertThatThrownBy(() -> machine.hypervisor.systemError(TestMachine.GUEST, 1, 0))
                    .hasMessage("VM 128 has no vCPU 1");
        }
    }

    private static long written(TestMachine.Guest guest) {
        long[] exit = guest.run();
        assertThat(exit).startsWith(0, VMMIO_WRITE, TestMachine.VMMIO_BASE, 8);
        return exit[4];
    }
}
