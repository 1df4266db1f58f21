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
import java.util.function.IntFunction;
import java.util.function.Predicate;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The scenario in real time. What a busy host takes from one guest or another evens out, so a run whose ratios are not
 * as they should be is made twice as long: what the scheduler itself does wrong stays.
 */
@Tag("guest")
class EqualHogsTest {
    private static final int LONGEST_SECONDS = 32;

    private static Report run(int guests, int pcpus, int[] slices, int[] priorities) {
        return run(guests, pcpus, 2, "2ms", slices, priorities);
    }

    private static Report run(int guests, int pcpus, int seconds, String slice, int[] slices, int[] priorities) {
        return new EqualHogs(guests, pcpus, seconds + "s", slice, slices, priorities).run();
    }

    private static boolean isFair(Report report) {
        return report.figures().get("jain_cpu") > 0.95;
    }

    /** {@return the first report that is as expected, else the longest run's} */
    private static Report soon(IntFunction<Report> run, Predicate<Report> expected) {
        Report report = run.apply(2);
        for (int seconds = 4; seconds <= LONGEST_SECONDS && !expected.test(report); seconds *= 2) {
            report = run.apply(seconds);
        }
        return report;
    }

    private static double cell(Report report, int row, String column) {
        return ((Number) report.rows().get(row).get(report.columns().indexOf(column))).doubleValue();
    }

    @Test
    void equalGuestsGetEqualTime() {
        Report report = soon(seconds -> run(8, 2, seconds, "2ms", new int[] {1}, new int[] {32}),
                EqualHogsTest::isFair);

        assertThat(isFair(report)).as(Renderer.text(report)).isTrue();
        assertThat(report.figures().get("longest_wait_ms")).isPositive();
    }

    @Test
    void sharesFollowTheSlices() {
        // Long slices: a host thread that stops late adds to each the same, however long it is.
        Report report = soon(seconds -> run(3, 1, seconds, "25ms", new int[] {1, 2, 4}, new int[] {32}),
                each -> isFair(each) && isLonger(each));

        assertThat(isFair(report)).as(Renderer.text(report)).isTrue();
        assertThat(isLonger(report)).as(Renderer.text(report)).isTrue();
        assertThat(cell(report, 0, "expected")).isCloseTo(1.0 / 7, offset(1e-9));
    }

    private static boolean isLonger(Report report) {
        return cell(report, 2, "cpu_ms") > 2.5 * cell(report, 0, "cpu_ms");
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
