package gunyah.scenario;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gunyah.config.BadInput;
import gunyah.report.Renderer;
import gunyah.report.Report;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Guests at their prompts: what happens is their ten ticks a second and nothing else. Counts only. */
@Tag("guest")
class IdleGuestsTest {
    private static final int SLACK = 60;

    private static double wakeUps(Report report, String kind) {
        return report.rows().stream().filter(row -> row.getFirst().equals(kind))
                .mapToLong(row -> (Long) row.get(report.columns().indexOf("wake_ups"))).sum();
    }

    @Test
    void nothingRunsButForATimerInterrupt() {
        Report report = new IdleGuests(2, "3s", "1s").run();

        String text = Renderer.text(report);
        double interrupts = report.figures().get("interrupts");
        assertThat(interrupts).as(text).isPositive()
                .isLessThanOrEqualTo(2 * (10 * report.figures().get("seconds") + 2));
        assertThat(report.figures().get("instructions")).as(text).isLessThan(interrupts * 300);
        // A tick wakes the timer, the proxy, the vCPU and the proxy again, at most.
        assertThat(wakeUps(report, "guest vCPUs")).as(text).isLessThan(2 * interrupts + SLACK);
        assertThat(wakeUps(report, "host vCPUs")).as(text).isLessThan(3 * interrupts + SLACK);
        assertThat(wakeUps(report, "timer")).as(text).isLessThan(2 * interrupts + SLACK);
        assertThat(wakeUps(report, "Akka's dispatchers")).as(text).isLessThan(SLACK);
    }

    @Test
    void absurdNumbersAreRefused() {
        assertThatThrownBy(() -> new IdleGuests(0, "1s", "1s").run()).isInstanceOf(BadInput.class);
    }
}
