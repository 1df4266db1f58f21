package gunyah.hyp;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * A guest that drives its GIC with real instructions: it finds its redistributors, takes software and message-based
 * interrupts in both end-of-interrupt modes, and makes accesses that no register has. What it sees it stores to a VMMIO
 * address, which the test reads as exits.
 */
@Tag("guest")
class GuestInterruptsTest {
    private static final int VECTORS = 0x800;
    private static final long VMMIO_WRITE = 5;
    private static final long DATA_ABORT_EXTERNAL = 0x9600_0010L;
    /** At the start of RAM. */
    private static final int[] MAIN = {
            0xD2A1_2014, // mov x20, #0x9000000
            0xD2A1_0013, // mov x19, #0x8000000
            0xD2A1_0152, // mov x18, #0x80a0000
            0x9140_4251, // add x17, x18, #0x10, lsl #12
            0x10FF_FF80, // adr x0, 0 start
            0x9120_0000, // add x0, x0, #0x800
            0xD518_C000, // msr vbar_el1, x0
            0xD280_1E00, // mov x0, #0xf0
            0xD518_4600, // msr icc_pmr_el1, x0
            0xD280_0020, // mov x0, #0x1
            0xD518_CCE0, // msr icc_igrpen1_el1, x0
            0x5280_0040, // mov w0, #0x2
            0xB900_0260, // str w0, [x19]
            0x1280_0000, // mov w0, #0xffffffff
            0xB900_8220, // str w0, [x17, #128]
            0xB901_0220, // str w0, [x17, #256]
            0xB900_8660, // str w0, [x19, #132]
            0xB901_0660, // str w0, [x19, #260]
            0x52A0_0040, // mov w0, #0x20000
            0xB90C_0A60, // str w0, [x19, #3080]
            0xD280_0007, // mov x7, #0x0
            0xAA12_03E5, // mov x5, x18
            0xF940_04A6, // ldr x6, [x5, #8]
            0x9100_04E7, // add x7, x7, #0x1
            0x9140_80A5, // add x5, x5, #0x20, lsl #12
            0x3627_FFA6, // tbz w6, #4, 58
            0xF900_0287, // str x7, [x20]
            0xD503_42FF, // msr daifclr, #0x2
            0xD2A0_6000, // mov x0, #0x3000000
            0x9100_0400, // add x0, x0, #0x1
            0xD518_CBA0, // msr icc_sgi1r_el1, x0
            0xD503_3FDF, // isb
            0xD280_0040, // mov x0, #0x2
            0xD518_CC80, // msr icc_ctlr_el1, x0
            0xD2A0_8000, // mov x0, #0x4000000
            0x9100_0400, // add x0, x0, #0x1
            0xD518_CBA0, // msr icc_sgi1r_el1, x0
            0xD503_3FDF, // isb
            0x5280_0500, // mov w0, #0x28
            0x7900_8260, // strh w0, [x19, #64]
            0xD503_3FDF, // isb
            0x3940_0260, // ldrb w0, [x19]
            0xD29F_FA00, // mov x0, #0xffd0
            0xB820_6A60, // str w0, [x19, x0]
            0xB940_1260, // ldr w0, [x19, #16]
            0xF900_0280, // str x0, [x20]
            0x1400_0000, // b b8
    };
    /** At VBAR_EL1 + 0x200: shows ESR_EL1 and skips the instruction. */
    private static final int[] SYNC = {
            0xD538_5201, // mrs x1, esr_el1
            0xF900_0281, // str x1, [x20]
            0xD538_4021, // mrs x1, elr_el1
            0x9100_1021, // add x1, x1, #0x4
            0xD518_4021, // msr elr_el1, x1
            0xD69F_03E0, // eret
    };
    /** At VBAR_EL1 + 0x280: shows INTID, priorities and what is active before and after DIR. */
    private static final int[] IRQ = {
            0xD538_CC01, // mrs x1, icc_iar1_el1
            0xF900_0281, // str x1, [x20]
            0xD538_CB62, // mrs x2, icc_rpr_el1
            0xF900_0282, // str x2, [x20]
            0xD518_CC21, // msr icc_eoir1_el1, x1
            0xD538_CB62, // mrs x2, icc_rpr_el1
            0xF900_0282, // str x2, [x20]
            0xB943_0223, // ldr w3, [x17, #768]
            0xF900_0283, // str x3, [x20]
            0xD518_CB21, // msr icc_dir_el1, x1
            0xB943_0223, // ldr w3, [x17, #768]
            0xF900_0283, // str x3, [x20]
            0xD69F_03E0, // eret
    };

    @Test
    void aGuestSeesItsInterruptsAndItsMistakes() {
        try (TestMachine machine = new TestMachine()) {
            TestMachine.Guest guest = machine.new Guest(TestMachine.GUEST, 3, MAIN);
            machine.write(TestMachine.GUEST_PA + VECTORS + 0x200, SYNC);
            machine.write(TestMachine.GUEST_PA + VECTORS + 0x280, IRQ);
            guest.powerOn();

            List<Long> seen = new ArrayList<>();
            for (int i = 0; i < 19; i++) {
                long[] exit = guest.run();
                assertThat(exit).startsWith(0, VMMIO_WRITE, TestMachine.VMMIO_BASE, 8);
                seen.add(exit[4]);
            }

            assertThat(seen.subList(0, 1)).as("redistributors up to the last").containsExactly(3L);
            assertThat(seen.subList(1, 6)).as("SGI 3, mode 0: INTID, running, dropped, active, after DIR")
                    .containsExactly(3L, 0L, 0xFFL, 0L, 0L);
            assertThat(seen.subList(6, 11)).as("SGI 4, mode 1").containsExactly(4L, 0L, 0xFFL, 1L << 4, 0L);
            assertThat(seen.subList(11, 16)).as("SPI 40 by message").containsExactly(40L, 0L, 0xFFL, 0L, 0L);
            assertThat(seen.subList(16, 18)).as("byte read of GICD_CTLR, write to nothing")
                    .containsExactly(DATA_ABORT_EXTERNAL, DATA_ABORT_EXTERNAL);
            assertThat(seen.get(18)).as("GICD_STATUSR").isEqualTo(2);
        }
    }
}
