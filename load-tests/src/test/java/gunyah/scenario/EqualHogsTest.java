package gunyah.scenario;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import gunyah.config.BadInput;
import gunyah.load.HogMachine;
import gunyah.report.Renderer;
import gunyah.report.Report;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The scenario in real time, briefly: ratios of one run, with room for a busy host. */
@Tag("guest")
class EqualHogsTest {
    private static Report run(int guests, int pcpus, int[] slices, int[] priorities) {
        return new EqualHogs(guests, pcpus, "2s", "2ms", slices, priorities).run();
    }

    private static double cell(Report report, int row, String column) {
        return ((Number) report.rows().get(row).get(report.columns().indexOf(column))).doubleValue();
    }

    @Test
    void equalGuestsGetEqualTime() {
        Report report = run(8, 2, new int[] {1}, new int[] {32});

        assertThat(report.figures().get("jain_cpu")).as(Renderer.text(report)).isGreaterThan(0.95);
        assertThat(report.figures().get("longest_wait_ms")).isPositive();
    }

    @Test
    void sharesFollowTheSlices() {
        Report report = run(3, 1, new int[] {1, 2, 4}, new int[] {32});

        assertThat(report.figures().get("jain_cpu")).as(Renderer.text(report)).isGreaterThan(0.95);
        assertThat(cell(report, 2, "cpu_ms")).isGreaterThan(2.5 * cell(report, 0, "cpu_ms"));
        assertThat(cell(report, 0, "expected")).isCloseTo(1.0 / 7, offset(1e-9));
    }

    @Test
    void aLowerPriorityNeverRuns() {
        Report report = run(4, 1, new int[] {1}, new int[] {10, 20});

        assertThat(report.figures().get("lower_priority_ms")).as(Renderer.text(report)).isZero();
        assertThat(cell(report, 0, "instructions")).isZero();
        assertThat(cell(report, 1, "instructions")).isPositive();
    }

    @Test
    void theInstructionsCountedAreThoseThatTheGuestSawItself() {
        try (HogMachine machine = new HogMachine(1)) {
            machine.add(0, 32, 1_000_000);
            machine.add(0, 32, 1_000_000);
            machine.powerOn(0);
            machine.powerOn(1);
            while (machine.statistics(0).runs() < 10 || machine.statistics(1).runs() < 10) {
                LockSupport.parkNanos(1_000_000);
            }

            machine.killAll();

            for (int guest = 0; guest < 2; guest++) {
                assertThat(machine.statistics(guest).retired() / 8.0)
                        .isBetween((double) machine.rounds(guest), machine.rounds(guest) + 2.0);
            }
            List<Long> busy = machine.pcpus().stream().map(state -> state.busyNs()).toList();
            assertThat(busy.getFirst()).isEqualTo(machine.statistics(0).runNs() + machine.statistics(1).runNs());
        }
    }

    @Test
    void optionsThatMakeNoSenseAreRefused() {
        assertThatThrownBy(() -> run(0, 1, new int[] {1}, new int[] {32})).isInstanceOf(BadInput.class);
        assertThatThrownBy(() -> run(1, 1, new int[] {1}, new int[] {63})).isInstanceOf(BadInput.class);
        assertThatThrownBy(() -> run(1, 1, new int[] {100}, new int[] {32})).isInstanceOf(BadInput.class);
    }
}
