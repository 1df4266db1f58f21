package gunyah.hyp;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Every hypercall of the light machine with hostile arguments: an error changes nothing. */
class HostileCallsTest {
    private static final int CALLS = Integer.getInteger("gunyah.hostile.calls", 6_000);
    private static final int ROUND = 200;
    private static final long[] VALUES = {0, 1, 2, 3, 7, 0xFFF, 0x1000, 0x1001, 0x2000, 64, 255, 256, 988, -1, -2, -4096,
            1L << 31, 1L << 32, 1L << 36, 1L << 47, 1L << 48, 1L << 62, 1L << 63, (1L << 36) - 4096, 0xF_0077L,
            0xF_0066L, 0x1_0007L, Machine.RAM, Machine.RAM + 0x1000, Machine.RAM - 0x1000, Machine.SPAN,
            Machine.SPAN - 0x1000, Long.MAX_VALUE, Integer.MAX_VALUE};

    @Test
    @Invariant({3, 21})
    void aHostileCallThatFailsChangesNothing() {
        long seed = Long.getLong("gunyah.seed", 20_25);
        Random random = new Random(seed);
        for (int done = 0; done < CALLS; done += ROUND) {
            try (Machine machine = new Machine()) {
                round(machine, random, seed);
            }
        }
    }

    private static void round(Machine machine, Random random, long seed) {
        for (int number : new int[] {2, 3, 4, 6, 7, 10}) {
            machine.create(number);
            machine.call(0x0C, machine.create(number), 0);
        }
        machine.addrspace(5);
        machine.derived(machine.rootExtentCap, Machine.RAM, 0x4000, Machine.ALL_RWX_SPARSE);
        MachineState before = machine.state();
        for (int i = 0; i < ROUND;) {
            int number = random.nextInt(HypercallRow.TABLE_SIZE);
            if (machine.table.row(number) == null) {
                continue;
            }
            i++;
            long[] x = new long[8];
            for (int j = 0; j < 7; j++) {
                x[j] = random.nextInt(2) == 0 ? random.nextInt(22) : VALUES[random.nextInt(VALUES.length)];
            }
            String call = "seed %d: %s %s".formatted(seed, machine.table.row(number).name(), Arrays.toString(x));
            machine.table.call(machine.caller, number, x);
            MachineState after = machine.state();
            if (x[0] != 0 && number != 0) {
                assertThat(before.difference(after)).as("%s -> %s", call, HypError.of(x[0])).isEmpty();
            }
            before = after;
        }
    }
}
