package gunyah.hyp;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * A guest that does single accesses as the test tells it, by VMMIO: stores of several widths, loads, and the acknowledge
 * and end-of-interrupt registers. An exception is noted and the instruction left out. SPIs 32 to 63 are enabled.
 */
final class GuestAccesses {
    private static final long UART = TestMachine.VMMIO_BASE;
    private static final long VMMIO_READ = 4;
    private static final long VMMIO_WRITE = 5;
    private static final long VECTOR = 0xA00;
    private static final int STORE_WORD = 0;
    private static final int STORE_BYTE = 1;
    private static final int LOAD_WORD = 2;
    private static final int STORE_HALFWORD = 3;
    private static final int STORE_PAIR = 4;
    private static final int ACKNOWLEDGE = 5;
    private static final int END_INTERRUPT = 6;
    private static final int[] PROGRAM = {
            0xD280_1E02, // mov x2, #0xf0
            0xD518_4602, // msr icc_pmr_el1, x2
            0xD280_0022, // mov x2, #0x1
            0xD518_CCE2, // msr icc_igrpen1_el1, x2
            0xD2A1_2014, // mov x20, #0x9000000
            0xD2A1_0015, // mov x21, #0x8000000
            0xD2A1_0141, // mov x1, #0x80a0000
            0xB900_143F, // str wzr, [x1, #20]      GICR_WAKER
            0x5280_0243, // mov w3, #0x12
            0xB900_02A3, // str w3, [x21]           GICD_CTLR
            0x1280_0004, // mov w4, #0xffffffff
            0xB900_86A4, // str w4, [x21, #132]     GICD_IGROUPR1
            0xB901_06A4, // str w4, [x21, #260]     GICD_ISENABLER1
            0x1000_3E61, // adr x1, 0x800
            0xD518_C001, // msr vbar_el1, x1
            0xD503_3FDF, // isb
            0xF940_0297, // loop: ldr x23, [x20]
            0xF940_0295, // ldr x21, [x20]
            0xF940_0296, // ldr x22, [x20]
            0xD280_0009, // mov x9, #0x0
            0x1000_0061, // adr x1, table
            0x8B17_0C21, // add x1, x1, x23, lsl #3
            0xD61F_0020, // br x1
            0xB900_02B6, // table: str w22, [x21]
            0x1400_000D, // b out
            0x3900_02B6, // strb w22, [x21]
            0x1400_000B, // b out
            0xB940_02B6, // ldr w22, [x21]
            0x1400_0009, // b out
            0x7900_02B6, // strh w22, [x21]
            0x1400_0007, // b out
            0x2900_5AB6, // stp w22, w22, [x21]
            0x1400_0005, // b out
            0xD538_CC16, // mrs x22, icc_iar1_el1
            0x1400_0003, // b out
            0xD518_CC36, // msr icc_eoir1_el1, x22
            0x1400_0001, // b out
            0xF900_0689, // out: str x9, [x20, #8]
            0xF900_0A96, // str x22, [x20, #16]
            0x17FF_FFE9, // b loop
    };
    private static final int[] ON_EXCEPTION = {
            0xD538_4029, // mrs x9, elr_el1
            0x9100_1129, // add x9, x9, #0x4
            0xD518_4029, // msr elr_el1, x9
            0xD538_5209, // mrs x9, esr_el1
            0xD69F_03E0, // eret
    };

    final TestMachine.Guest guest;

    GuestAccesses(TestMachine machine) {
        guest = machine.new Guest(TestMachine.GUEST, 1, PROGRAM);
        machine.write(TestMachine.GUEST_PA + VECTOR, ON_EXCEPTION);
        guest.powerOn();
        assertThat(guest.run()).startsWith(0, VMMIO_READ, UART, 8);
    }

    void store(long ipa, long value) {
        assertThat(access(STORE_WORD, ipa, value)[0]).as("syndrome of a store to 0x%x", ipa).isZero();
    }

    void storeByte(long ipa, long value) {
        assertThat(access(STORE_BYTE, ipa, value)[0]).as("syndrome of a store to 0x%x", ipa).isZero();
    }

    long load(long ipa) {
        long[] result = access(LOAD_WORD, ipa, 0);
        assertThat(result[0]).as("syndrome of a load from 0x%x", ipa).isZero();
        return result[1];
    }

    void faults(long ipa, long value) {
        aborted(access(STORE_WORD, ipa, value));
    }

    void byteFaults(long ipa, long value) {
        aborted(access(STORE_BYTE, ipa, value));
    }

    void halfwordFaults(long ipa, long value) {
        aborted(access(STORE_HALFWORD, ipa, value));
    }

    void pairFaults(long ipa, long value) {
        aborted(access(STORE_PAIR, ipa, value));
    }

    /** {@return the INTID acknowledged, 1023 for none} */
    long acknowledge() {
        return access(ACKNOWLEDGE, 0, 0)[1];
    }

    void end(long intid) {
        access(END_INTERRUPT, 0, intid);
    }

    /** A synchronous external abort on a store, from EL1 to EL1. */
    private static void aborted(long[] result) {
        assertThat(result[0] >>> 26).as("exception class").isEqualTo(0x25);
        assertThat(result[0] & 0x3F).as("fault status").isEqualTo(0x10);
    }

    /** {@return syndrome of the exception or 0, value} */
    private long[] access(int what, long ipa, long value) {
        assertThat(guest.run(what, 0, 0)).startsWith(0, VMMIO_READ, UART, 8);
        assertThat(guest.run(ipa, 0, 0)).startsWith(0, VMMIO_READ, UART, 8);
        long[] syndrome = guest.run(value, 0, 0);
        assertThat(syndrome).startsWith(0, VMMIO_WRITE, UART + 8, 8);
        long[] result = guest.run(0, 0, 0);
        assertThat(result).startsWith(0, VMMIO_WRITE, UART + 16, 8);
        assertThat(guest.run(0, 0, 0)).startsWith(0, VMMIO_READ, UART, 8);
        return new long[] {syndrome[4], result[4]};
    }
}
