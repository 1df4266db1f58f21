package gunyah.bench;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The driver's benchmarks measure what they are meant to, in short runs. */
@Tag("guest")
class DriverBenchTest {
    private static DriverMachine machine;
    private static DriverBench bench;

    @BeforeAll
    static void start() {
        machine = new DriverMachine(2);
        bench = new DriverBench(machine.device());
    }

    @AfterAll
    static void stop() {
        machine.close();
    }

    @Test
    void everyFolioOfAnyKindIsProvidedOnceAndComesBack() {
        int before = machine.device().usedHostPages();
        for (boolean lend : new boolean[] {true, false}) {
            for (boolean blocks : new boolean[] {true, false}) {
                assertThat(bench.faults(8, lend, blocks).median()).isPositive();
            }
        }
        assertThat(machine.device().usedHostPages()).isEqualTo(before);
    }

    @Test
    void exitsEventsAndInterruptsArrive() {
        assertThat(bench.mmio(100).median()).isPositive();
        assertThat(bench.ioEvent(100).median()).isPositive();
        // the guest waits for each interrupt, so one that is lost would hang it
        assertThat(bench.interrupt(100, false).median()).isPositive();
        assertThat(bench.interrupt(100, true).median()).isPositive();
    }
}
