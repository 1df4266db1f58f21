package gunyah.hyp;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;

/**
 * A guest that executes what the test tells it: a 32-bit store, then {@code HVC #0} with registers of choice, and shows
 * the results. It asks by VMMIO, so everything between is the real path of a guest's call.
 */
final class GuestCalls {
    private static final long UART = TestMachine.VMMIO_BASE;
    private static final long VMMIO_READ = 4;
    private static final long VMMIO_WRITE = 5;
    private static final int REGISTERS = 5;
    private static final int[] PROGRAM = {
            0xD280_1E02, // mov x2, #0xf0
            0xD518_4602, // msr icc_pmr_el1, x2
            0xD280_0022, // mov x2, #1
            0xD518_CCE2, // msr icc_igrpen1_el1, x2
            0xD2A1_2014, // movz x20, #0x900, lsl #16
            0xF900_7E80, // loop: str x0, [x20, #248]
            0xF940_0295, // ldr x21, [x20]
            0xF940_0296, // ldr x22, [x20]
            0xB900_02B6, // str w22, [x21]
            0xF940_0280, // ldr x0, [x20]
            0xF940_0281, // ldr x1, [x20]
            0xF940_0282, // ldr x2, [x20]
            0xF940_0283, // ldr x3, [x20]
            0xF940_0284, // ldr x4, [x20]
            0xD400_0002, // hvc #0
            0xF900_0280, // str x0, [x20]
            0xF900_0281, // str x1, [x20]
            0xF900_0282, // str x2, [x20]
            0xF900_0283, // str x3, [x20]
            0xF900_0284, // str x4, [x20]
            0x17FF_FFF1, // b loop
    };

    final TestMachine.Guest guest;
    private final int index;
    /** Answer to the read before the call: the run that gives it executes the call. */
    private long lastInput;

    private GuestCalls(TestMachine.Guest guest, int index) {
        this.guest = guest;
        this.index = index;
    }

    /** {@return the first vCPU of a guest of so many, powered on} */
    static GuestCalls start(TestMachine machine, int vcpus) {
        TestMachine.Guest guest = machine.new Guest(TestMachine.GUEST, vcpus, PROGRAM);
        guest.powerOn();
        GuestCalls calls = new GuestCalls(guest, 0);
        calls.expectBoot(0);
        return calls;
    }

    /** {@return another vCPU of the guest, which somebody powered on at the same program} */
    GuestCalls other(int newIndex, long context) {
        GuestCalls calls = new GuestCalls(guest, newIndex);
        calls.expectBoot(context);
        return calls;
    }

    /** The guest is at the start of its program with this context in X0. */
    void expectBoot(long context) {
        assertThat(guest.runVcpu(index)).startsWith(0, VMMIO_WRITE, UART + 248, 8, context);
    }

    /** A 32-bit store in the guest, followed by a call that nobody knows. */
    void store(long ipa, long value) {
        begin(ipa, value, 0xFFFF_FFFFL);
        finish(run(lastInput));
    }

    /** {@return X0..X4 after HVC #0 with these inputs, the rest zero} */
    long[] smccc(long... inputs) {
        return finish(callUntilExit(inputs));
    }

    /** {@return how the guest stopped in the call; X0.. are shown by its next exits if it comes back} */
    long[] callUntilExit(long... inputs) {
        begin(UART, 0, inputs);
        return run(lastInput);
    }

    /** {@return the results, of which the first is already in {@code exit}; the guest is ready for the next call} */
    long[] finish(long[] exit) {
        long[] results = new long[REGISTERS];
        long[] at = exit;
        for (int i = 0; i < REGISTERS; i++) {
            assertThat(at).startsWith(0, VMMIO_WRITE, UART, 8);
            results[i] = at[4];
            at = run(0);
        }
        assertThat(at).startsWith(0, VMMIO_WRITE, UART + 248, 8);
        return results;
    }

    /** {@return the next exit} */
    long[] run(long answer) {
        return guest.runVcpu(index, answer, 0, 0);
    }

    private void begin(long storeIpa, long storeValue, long... inputs) {
        assertThat(run(0)).startsWith(0, VMMIO_READ, UART, 8);
        assertThat(run(storeIpa)).startsWith(0, VMMIO_READ, UART, 8);
        long[] at = run(storeValue);
        if (storeIpa == UART) {
            assertThat(at).startsWith(0, VMMIO_WRITE, UART, 4);
            at = run(0);
        }
        long[] registers = Arrays.copyOf(inputs, REGISTERS);
        for (int i = 0; i < REGISTERS; i++) {
            assertThat(at).startsWith(0, VMMIO_READ, UART, 8);
            if (i < REGISTERS - 1) {
                at = run(registers[i]);
            } else {
                lastInput = registers[i];
            }
        }
    }
}
