package gunyah.vmm.virtio;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The registers, and what they do to the device behind them. */
class VirtioMmioTest {
    /** Answers each buffer with the bytes it got, in one queue of two. */
    private static final class Echo implements VirtioDevice {
        private DeviceQueues queues;
        private int resets;
        private boolean fails;

        @Override
        public String name() {
            return "echo";
        }

        @Override
        public int id() {
            return 42;
        }

        @Override
        public long features() {
            return 5;
        }

        @Override
        public int queueCount() {
            return 2;
        }

        @Override
        public byte[] config() {
            return new byte[] {1, 2, 3, 4, 5};
        }

        @Override
        public void started(DeviceQueues running) {
            queues = running;
        }

        @Override
        public void process(int index) {
            if (fails) {
                throw new IllegalStateException("as the test wants it");
            }
            Virtqueue queue = queues.queue(index);
            DescriptorChain chain = new DescriptorChain(queues.memory());
            byte[] bytes = new byte[64];
            do {
                queue.ignoreNotifications();
                while (queue.pop(chain)) {
                    chain.write(bytes, 0, chain.read(bytes, 0, bytes.length));
                    queue.push(chain);
                }
                queues.notifyDriver(index);
            } while (queue.expectNotification());
        }

        @Override
        public void reset() {
            resets++;
            queues = null;
        }
    }

    private final Echo echo = new Echo();
    private final TestDriver driver = new TestDriver(echo);

    private static TestDriver.Part out(String text) {
        return TestDriver.Part.out(text.getBytes());
    }

    @Test
    void identifiesItself() {
        assertThat(driver.read(0x00)).isEqualTo(0x74726976);
        assertThat(driver.read(0x04)).isEqualTo(2);
        assertThat(driver.read(0x08)).isEqualTo(42);
        assertThat(driver.read(0x34)).isEqualTo(256);
        assertThat(driver.read(0xb0)).isEqualTo(0xffff_ffffL);
    }

    @Test
    void offersFeaturesInTwoHalves() {
        driver.write(0x14, 0);
        assertThat(driver.read(0x10)).isEqualTo(0x3000_0005L);
        driver.write(0x14, 1);
        assertThat(driver.read(0x10)).isEqualTo(3);
        driver.write(0x14, 2);
        assertThat(driver.read(0x10)).isZero();
    }

    /** Then its platform has no rules, and a driver without the feature is served. */
    @Test
    void aDeviceThatReachesAllMemoryDoesNotAskForThePlatformsRules() {
        TestDriver whole = new TestDriver(echo, Runnable::run, true);
        whole.write(0x14, 1);
        assertThat(whole.read(0x10)).isEqualTo(1);

        whole.start(0);
        byte[] answer = whole.call(1, out("hello"), TestDriver.Part.in(5));

        assertThat(new String(answer)).isEqualTo("hello");
        assertThat(whole.transport.features()).isEqualTo(Features.VERSION_1);
    }

    @Test
    void readsConfigurationInAnySizeAndZerosBehindIt() {
        assertThat(driver.transport.read(0x100, 1)).isEqualTo(1);
        assertThat(driver.transport.read(0x102, 2)).isEqualTo(0x0403);
        assertThat(driver.transport.read(0x100, 4)).isEqualTo(0x04030201);
        assertThat(driver.transport.read(0x104, 4)).isEqualTo(5);
        assertThat(driver.transport.read(0x180, 8)).isZero();
    }

    @Test
    void registersWithOtherAccessSizesReadAsZero() {
        assertThat(driver.transport.read(0, 1)).isZero();
        driver.transport.write(0x70, 1, 15);
        assertThat(driver.status()).isZero();
    }

    @ParameterizedTest
    @ValueSource(longs = {0, Features.VERSION_1, Features.ACCESS_PLATFORM,
        Features.VERSION_1 | Features.ACCESS_PLATFORM | 2})
    void refusesFeaturesThatLackSomethingOrWereNotOffered(long features) {
        driver.write(0x70, 3);
        driver.negotiate(features);
        driver.write(0x70, 11);

        assertThat(driver.status()).isEqualTo(3);
    }

    @Test
    void featuresAreFixedOnceAccepted() {
        driver.start(0);
        driver.negotiate(4);

        assertThat(driver.transport.features()).isEqualTo(Features.VERSION_1 | Features.ACCESS_PLATFORM);
    }

    @Test
    void carriesABufferThereAndBackAndInterrupts() {
        driver.start(0);

        byte[] answer = driver.call(1, out("hello "), out("world"), TestDriver.Part.in(4), TestDriver.Part.in(9));

        assertThat(new String(answer)).startsWith("hello world");
        assertThat(driver.usedLength(1)).isEqualTo(11);
        assertThat(driver.interrupts).isEqualTo(1);
        assertThat(driver.read(0x60)).isEqualTo(1);
        driver.write(0x64, 1);
        assertThat(driver.read(0x60)).isZero();
    }

    @Test
    void resetForgetsEverything() {
        driver.start(0);
        driver.call(0, out("x"), TestDriver.Part.in(1));

        driver.write(0x70, 0);

        assertThat(driver.status()).isZero();
        assertThat(driver.read(0x60)).isZero();
        assertThat(driver.read(0x44)).isZero();
        assertThat(echo.resets).isEqualTo(1);
        driver.available(0, 0);
        driver.notify(0);
        assertThat(driver.used(0)).isZero();
    }

    @Test
    void worksAgainAfterAReset() {
        driver.start(0);
        driver.start(Features.EVENT_IDX);

        assertThat(driver.call(0, out("again"), TestDriver.Part.in(5))).isEqualTo("again".getBytes());
    }

    @Test
    void aQueueOutsideTheSharedMemoryNeedsAReset() {
        driver.write(0x70, 3);
        driver.negotiate(Features.VERSION_1 | Features.ACCESS_PLATFORM);
        driver.write(0x70, 11);
        driver.write(0x30, 0);
        driver.write(0x38, 16);
        driver.write(0x80, 0x4000_0000L);
        driver.write(0x44, 1);

        assertThat(driver.read(0x44)).isZero();
        assertThat(driver.isBroken()).isTrue();
        driver.write(0x70, 15);
        assertThat(driver.isBroken()).isTrue();
        driver.start(0);
        assertThat(driver.isBroken()).isFalse();
    }

    @Test
    void aDefectOfTheDeviceNeedsAResetAndIsTold() {
        driver.start(0);
        echo.fails = true;
        driver.chain(0, 0, out("x"));
        driver.notify(0);

        assertThat(driver.isBroken()).isTrue();
        assertThat(driver.read(0x60)).isEqualTo(2);
        echo.fails = false;
        assertThat(driver.start(0).call(0, out("y"), TestDriver.Part.in(1))).containsExactly('y');
    }

    @Test
    void notificationsOfQueuesThatDoNotExistAreIgnored() {
        driver.start(0);
        driver.notify(2);
        driver.transport.notified(0xffff_ffffL);
        driver.transport.notified(-1);

        assertThat(driver.isBroken()).isFalse();
    }

    @Test
    void tellsOfAChangedConfigurationByGenerationAndInterrupt() {
        driver.start(0);
        long before = driver.read(0xfc);

        driver.transport.configChanged();

        assertThat(driver.read(0xfc)).isNotEqualTo(before);
        assertThat(driver.read(0x60)).isEqualTo(2);
        assertThat(driver.interrupts).isEqualTo(1);
    }

    @Test
    void closedItTouchesNothing() {
        driver.start(0);
        driver.transport.close();
        driver.chain(0, 0, out("x"), TestDriver.Part.in(1));
        driver.notify(0);
        driver.start(0);
        driver.notify(0);

        assertThat(driver.used(0)).isZero();
    }
}
