package gunyah.vmm.balloon;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.vmm.balloon.BalloonStatistics.Tag;
import gunyah.vmm.virtio.Bits;
import gunyah.vmm.virtio.DeviceQueues;
import gunyah.vmm.virtio.GuestMemory;
import gunyah.vmm.virtio.TestDriver;
import gunyah.vmm.virtio.TestDriver.Part;
import gunyah.vmm.virtio.Virtqueue;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** The balloon as a driver sees it. */
class VirtioBalloonTest {
    private static final long STATISTICS = 1 << 1;

    private final List<Long> reclaimed = new ArrayList<>();
    private final VirtioBalloon balloon = new VirtioBalloon(3 << 12, reclaimed::add);
    private final TestDriver driver = new TestDriver(balloon).start(STATISTICS);

    private static byte[] numbers(int... pages) {
        byte[] bytes = new byte[pages.length * 4];
        for (int i = 0; i < pages.length; i++) {
            Bits.le32(bytes, 4 * i, pages[i]);
        }
        return bytes;
    }

    private static byte[] statistic(int tag, long value) {
        byte[] bytes = new byte[10];
        Bits.le16(bytes, 0, tag);
        Bits.le64(bytes, 2, value);
        return bytes;
    }

    private CompletableFuture<BalloonStatistics> asked() {
        return balloon.statistics().toCompletableFuture();
    }

    @Test
    void tellsItsTargetAndInterruptsWhenItChanges() {
        assertThat(driver.transport.read(0x100, 4)).isEqualTo(3);
        long generation = driver.read(0xfc);
        int before = driver.interrupts;

        balloon.target(1L << 30);

        assertThat(driver.transport.read(0x100, 4)).isEqualTo(1 << 18);
        assertThat(driver.read(0xfc)).isEqualTo(generation + 1);
        assertThat(driver.interrupts).isEqualTo(before + 1);
        assertThat(driver.read(0x60) & 2).isEqualTo(2);
    }

    @Test
    void takesEachPageThatTheDriverNames() {
        driver.call(0, Part.out(numbers(0x40000, 0x40005)), Part.out(numbers(-1)));
        driver.call(1, Part.out(numbers(0x40000)));
        driver.transport.write(0x104, 4, 2);

        assertThat(reclaimed).containsExactly(0x4000_0000L, 0x4000_5000L, 0xffff_ffffL << 12);
        assertThat(balloon.inflatedBytes()).isEqualTo(2 << 12);
        assertThat(driver.transport.read(0x104, 4)).isEqualTo(2);
    }

    @Test
    void givesManyBuffersBackInTurns() {
        for (int i = 0; i < 16; i++) {
            driver.chain(0, i, Part.out(numbers(i)));
        }
        driver.notify(0);

        assertThat(driver.used(0)).isEqualTo(16);
        assertThat(reclaimed).hasSize(16).doesNotHaveDuplicates();
    }

    @Test
    void moreNumbersThanAnyDriverSendsBreakIt() {
        driver.chain(0, 0, Part.out(new byte[(64 << 10) + 4]));
        driver.notify(0);

        assertThat(driver.isBroken()).isTrue();
        assertThat(reclaimed).isEmpty();
    }

    @Test
    void keepsTheBufferOfTheStatisticsUntilSomebodyAsks() {
        driver.chain(2, 0, Part.out(statistic(4, 1)));
        driver.notify(2);
        assertThat(driver.used(2)).isZero();

        CompletableFuture<BalloonStatistics> first = asked();
        CompletableFuture<BalloonStatistics> second = asked();
        assertThat(driver.used(2)).isEqualTo(1);
        assertThat(first).isNotDone();

        driver.chain(2, 0, Part.out(statistic(4, 1 << 20)), Part.out(statistic(5, 1 << 30)),
                Part.out(statistic(0xffff, 5)));
        driver.notify(2);
        assertThat(first.join().values()).isEqualTo(Map.of(Tag.FREE_BYTES, 1L << 20, Tag.TOTAL_BYTES, 1L << 30));
        assertThat(second).isCompletedWithValue(first.join());
        assertThat(driver.used(2)).isZero();

        assertThat(asked()).isNotDone();
        assertThat(driver.used(2)).isEqualTo(1);
    }

    @Test
    void aQuestionBeforeTheFirstBufferIsAnsweredByTheSecond() {
        CompletableFuture<BalloonStatistics> early = asked();
        driver.chain(2, 0, Part.out(statistic(4, 1)));
        driver.notify(2);
        assertThat(driver.used(2)).isEqualTo(1);
        driver.chain(2, 0, Part.out(statistic(4, 2)));
        driver.notify(2);

        assertThat(early.join().values()).containsEntry(Tag.FREE_BYTES, 2L);
    }

    @Test
    void aResetEmptiesItAndLeavesNobodyWaiting() {
        CompletableFuture<BalloonStatistics> waiting = asked();
        driver.transport.write(0x104, 4, 9);

        driver.write(0x70, 0);

        assertThat(waiting).isCompletedExceptionally();
        assertThat(balloon.inflatedBytes()).isZero();
        assertThat(asked()).isCompletedExceptionally();
        driver.start(0);
        assertThat(asked()).as("of a driver without statistics").isCompletedExceptionally();
    }

    /** A device whose driver resets it just when somebody was let in to ask. */
    private record Resetting(VirtioBalloon device) implements DeviceQueues {
        @Override
        public long features() {
            device.reset();
            return STATISTICS;
        }

        @Override
        public Virtqueue queue(int index) {
            return null;
        }

        @Override
        public GuestMemory memory() {
            return null;
        }

        @Override
        public void notifyDriver(int index) {
        }

        @Override
        public void configChanged() {
        }

        @Override
        public void schedule(int index) {
        }
    }

    @Test
    void aResetWhileSomebodyAsksLeavesNobodyWaiting() {
        balloon.started(new Resetting(balloon));

        assertThat(asked()).isCompletedExceptionally();
    }
}
