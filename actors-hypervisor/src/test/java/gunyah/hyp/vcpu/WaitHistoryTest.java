package gunyah.hyp.vcpu;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class WaitHistoryTest {
    private static final long TICK_NS = 4_000_000;

    private long timeNs;
    private final WaitHistory waits = new WaitHistory(() -> timeNs);

    private boolean waitFor(long ns) {
        boolean brief = waits.begin();
        timeNs += ns;
        waits.end();
        return brief;
    }

    @Test
    void theFirstWaitIsNotExpectedToBeBrief() {
        assertThat(waits.begin()).isFalse();
    }

    @Test
    void aGuestThatWaitsForItsTickNeverSpins() {
        for (int i = 0; i < 10; i++) {
            assertThat(waitFor(TICK_NS)).isFalse();
        }
    }

    @Test
    void afterABriefWaitTheNextIsExpectedToBeBriefUntilOneIsLong() {
        waitFor(100_000);
        assertThat(waitFor(1_000)).isTrue();
        assertThat(waitFor(TICK_NS)).isTrue();
        assertThat(waitFor(1_000)).isFalse();
    }

    @Test
    void executionWithoutAWaitChangesNothing() {
        waitFor(1_000);
        timeNs += TICK_NS;
        waits.end();
        assertThat(waits.begin()).isTrue();
    }
}
