package gunyah.hyp.timer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class TimersTest {
    @Test
    void alarmsFireInDeadlineOrderOnceEach() {
        ManualAlarms alarms = new ManualAlarms();
        List<Long> fired = new ArrayList<>();
        Random random = new Random(3);
        List<Long> expected = new ArrayList<>();
        List<Alarm> all = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            all.add(alarms.create(() -> fired.add(alarms.now())));
        }
        for (Alarm alarm : all) {
            alarm.arm(random.nextInt(1000));
            if (random.nextInt(4) == 0) {
                alarm.disarm();
            } else {
                long deadline = random.nextInt(1000);
                alarm.arm(deadline);
                expected.add(deadline);
            }
        }

        alarms.advanceTo(1000);

        expected.sort(null);
        assertThat(fired).isEqualTo(expected);
        assertThat(alarms.nextDeadline()).isEqualTo(Alarm.NEVER);
    }

    @Test
    void theTimerThreadFiresNotBeforeTheDeadlineAndNeverAfterADisarm() throws InterruptedException {
        BlockingQueue<Long> fired = new ArrayBlockingQueue<>(4);
        AtomicLong ahead = new AtomicLong();
        try (TimerThread timer = TimerThread.start(() -> System.nanoTime() + ahead.get(), "test-timer")) {
            Alarm alarm = timer.create(() -> fired.add(timer.now()));
            long deadline = timer.now() + 2_000_000;
            alarm.arm(deadline + 1_000_000_000_000L);
            alarm.arm(deadline);
            assertThat(fired.poll(60, TimeUnit.SECONDS)).isGreaterThanOrEqualTo(deadline);

            Alarm never = timer.create(() -> fired.add(-1L));
            long hour = 3_600_000_000_000L;
            never.arm(timer.now() + hour);
            never.disarm();
            ahead.set(hour + 1);
            alarm.arm(timer.now());
            assertThat(fired.poll(60, TimeUnit.SECONDS)).isPositive();
            alarm.arm(timer.now());
            assertThat(fired.poll(60, TimeUnit.SECONDS)).as("after all that was due").isPositive();
            assertThat(fired).isEmpty();
        }
    }

    @Test
    void theSystemCounterTicksAtSixtyTwoAndAHalfMegahertz() {
        long[] now = {1_000};
        SystemCounter counter = new SystemCounter(() -> now[0]);

        now[0] += 1_000_000_000;

        assertThat(counter.ticks()).isEqualTo(SystemCounter.FREQUENCY_HZ);
        assertThat(counter.clockAt(SystemCounter.FREQUENCY_HZ)).isEqualTo(1_000_001_000);
        assertThat(counter.clockAt(-1)).isEqualTo(Alarm.NEVER);
    }
}
