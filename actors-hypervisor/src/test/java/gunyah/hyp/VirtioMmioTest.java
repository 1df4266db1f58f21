package gunyah.hyp;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A virtio device: the driver is guest code that stores and loads, the device makes hypercalls. */
@Tag("guest")
class VirtioMmioTest {
    private static final int DEVICE_FEATURES = 0x10;
    private static final int DEVICE_FEATURES_SEL = 0x14;
    private static final int DRIVER_FEATURES = 0x20;
    private static final int DRIVER_FEATURES_SEL = 0x24;
    private static final int QUEUE_SEL = 0x30;
    private static final int QUEUE_NUM_MAX = 0x34;
    private static final int QUEUE_NUM = 0x38;
    private static final int QUEUE_READY = 0x44;
    private static final int QUEUE_NOTIFY = 0x50;
    private static final int INTERRUPT_STATUS = 0x60;
    private static final int INTERRUPT_ACK = 0x64;
    private static final int STATUS = 0x70;
    private static final int QUEUE_DESC_LOW = 0x80;
    private static final int CONFIG = 0x100;

    private static final long PAGE_IPA = 0x0A00_0000L;
    private static final long PAGE_PA = TestMachine.GUEST_PA + (2 << 20);
    private static final long READ_ONLY = 0xF_0044;
    private static final int BASIC_RW = 6;
    private static final int FRONTEND_VIRQ = 48;
    private static final int BACKEND_VIRQ = 50;
    private static final int SPURIOUS = 1023;
    private static final long DRIVER_OK_REASON = 8;
    private static final long FEATURES_1 = 3;

    private final TestMachine machine = new TestMachine();
    private final GuestAccesses driver = new GuestAccesses(machine);
    private final long page = extent(PAGE_PA, 4096, BASIC_RW);
    private final long device = machine.create(0x48);

    @AfterEach
    void stop() {
        machine.close();
    }

    private long extent(long pa, long size, long attributes) {
        long cap = machine.create(0x04);
        machine.call(0x32, cap, machine.env.memextentCap(), pa, size, attributes, 0);
        machine.activate(cap);
        return cap;
    }

    private void ready() {
        machine.call(0x49, device, page, 2, 0, 0);
        machine.activate(device);
        machine.call(0x2B, driver.guest.addrspace, page, PAGE_IPA, READ_ONLY, 0, 0, 4096);
        machine.call(0x4A, device, driver.guest.vic, FRONTEND_VIRQ, 0);
        machine.call(0x4C, device, machine.hostVic, BACKEND_VIRQ, 0);
        machine.hostInterrupts.clear();
    }

    private void write(int register, long value) {
        driver.store(PAGE_IPA + register, value);
    }

    private long read(int register) {
        return driver.load(PAGE_IPA + register);
    }

    private HypError error(int number, long... inputs) {
        return HypError.of(machine.tryCall(number, inputs)[0]);
    }

    /** {@return queues and reasons of the notification} */
    private long[] notification() {
        long[] x = machine.call(0x53, device, 0);
        return new long[] {x[1], x[2]};
    }

    @Test
    void aDriverSetsItsDeviceUpAndTheTwoExchangeBuffers() {
        ready();
        machine.write(PAGE_PA, 0x7472_6976, 2, 18, 0x4751_4C43);
        machine.call(0x4F, device, 0, 0x30, 0);
        machine.call(0x4F, device, 1, FEATURES_1 | 4, 0);
        machine.call(0x50, device, 1, 256, 0);

        assertThat(read(0)).isEqualTo(0x7472_6976);
        write(STATUS, 1);
        write(STATUS, 3);
        write(DEVICE_FEATURES_SEL, 0);
        assertThat(read(DEVICE_FEATURES)).isEqualTo(0x30);
        write(DEVICE_FEATURES_SEL, 1);
        assertThat(read(DEVICE_FEATURES)).isEqualTo(7);
        write(DRIVER_FEATURES_SEL, 0);
        write(DRIVER_FEATURES, 0x20);
        write(DRIVER_FEATURES_SEL, 1);
        write(DRIVER_FEATURES, 3);
        write(QUEUE_SEL, 1);
        assertThat(read(QUEUE_NUM_MAX)).isEqualTo(256);
        assertThat(read(QUEUE_READY)).isZero();
        write(QUEUE_NUM, 128);
        for (int i = 0; i < 6; i++) {
            write(QUEUE_DESC_LOW + (i >> 1) * 16 + (i & 1) * 4, 0x1000 * (i + 1));
        }
        write(QUEUE_READY, 1);
        assertThat(machine.hostInterrupts).isEmpty();
        write(STATUS, 0xF);

        assertThat(machine.hostInterrupts).containsExactly(BACKEND_VIRQ);
        assertThat(notification()).containsExactly(0, DRIVER_OK_REASON);
        assertThat(notification()).containsExactly(0, 0);
        assertThat(machine.call(0x51, device, 0, 0)[1]).isEqualTo(0x20);
        assertThat(machine.call(0x51, device, 1, 0)[1]).isEqualTo(3);
        assertThat(machine.call(0x52, device, 1, 0)).containsExactly(0, 128, 1, 0x2000_0000_1000L, 0x4000_0000_3000L,
                0x6000_0000_5000L, 0, 0);
        assertThat(machine.call(0x52, device, 0, 0)).containsExactly(0, 0, 0, 0, 0, 0, 0, 0);
        write(QUEUE_SEL, 0);
        assertThat(read(QUEUE_READY)).isZero();

        write(QUEUE_NOTIFY, 1);
        write(QUEUE_NOTIFY, 0);
        assertThat(machine.hostInterrupts).containsExactly(BACKEND_VIRQ, BACKEND_VIRQ, BACKEND_VIRQ);
        assertThat(notification()).containsExactly(3, 1);

        machine.call(0x4E, device, 1, 0);
        assertThat(driver.acknowledge()).isEqualTo(FRONTEND_VIRQ);
        assertThat(read(INTERRUPT_STATUS)).isEqualTo(1);
        write(INTERRUPT_ACK, 1);
        assertThat(read(INTERRUPT_STATUS)).isZero();
        driver.end(FRONTEND_VIRQ);
        assertThat(driver.acknowledge()).isEqualTo(SPURIOUS);
    }

    @Test
    void anInterruptThatTheDriverDoesNotClearComesAgain() {
        ready();
        machine.call(0x4E, device, 3, 0);
        assertThat(driver.acknowledge()).isEqualTo(FRONTEND_VIRQ);
        write(INTERRUPT_ACK, 1);
        driver.end(FRONTEND_VIRQ);
        assertThat(driver.acknowledge()).isEqualTo(FRONTEND_VIRQ);
        write(INTERRUPT_ACK, 2);
        driver.end(FRONTEND_VIRQ);
        assertThat(driver.acknowledge()).isEqualTo(SPURIOUS);
    }

    @Test
    void aResetIsAskedForByTheDriverAndDoneByTheDevice() {
        ready();
        write(STATUS, 0);
        assertThat(notification()).as("nothing to reset yet").containsExactly(0, 0);
        write(STATUS, 0xF);
        write(QUEUE_READY, 1);
        notification();

        write(STATUS, 0);

        assertThat(notification()).containsExactly(0, 2);
        assertThat(read(STATUS)).isEqualTo(0x4F);
        assertThat(read(QUEUE_READY)).isZero();
        assertThat(machine.call(0x52, device, 0, 0)[2]).isZero();
        assertThat(error(0x4E, device, 1, 0)).isEqualTo(HypError.DENIED);
        machine.call(0x54, device, 0);
        assertThat(read(STATUS)).isZero();
        machine.call(0x4E, device, 1, 0);
    }

    @Test
    void aFailedDriverIsReportedAndTheDeviceMaySetStatusBits() {
        ready();
        write(STATUS, 0x83);
        assertThat(notification()).containsExactly(0, 0x10);
        write(STATUS, 0x83);
        assertThat(notification()).as("only once").containsExactly(0, 0);
        machine.call(0x55, device, 0x40, 0);
        assertThat(read(STATUS)).isEqualTo(0xC3);
    }

    @Test
    void theConfigurationSpaceTakesBytesAndWords() {
        ready();
        driver.storeByte(PAGE_IPA + CONFIG + 1, 0xAB);
        write(CONFIG + 4, 0x1234_5678);
        driver.storeByte(PAGE_IPA + 0xFFF, 0x77);
        assertThat(read(CONFIG)).isEqualTo(0xAB00);
        assertThat(read(CONFIG + 4)).isEqualTo(0x1234_5678);
        assertThat(read(0xFFC)).isEqualTo(0x7700_0000);
    }

    @Test
    void aStoreThatNoRegisterTakesIsAnExternalAbort() {
        ready();
        machine.write(PAGE_PA, 0x7472_6976);
        driver.faults(PAGE_IPA, 1);
        driver.faults(PAGE_IPA + 0xFC, 1);
        driver.faults(PAGE_IPA + DEVICE_FEATURES_SEL, 2);
        driver.faults(PAGE_IPA + DRIVER_FEATURES_SEL, 2);
        driver.faults(PAGE_IPA + QUEUE_SEL, 2);
        driver.faults(PAGE_IPA + QUEUE_SEL, 0xFFFF_FFFFL);
        driver.byteFaults(PAGE_IPA + STATUS, 1);
        driver.halfwordFaults(PAGE_IPA + CONFIG, 1);
        driver.pairFaults(PAGE_IPA + CONFIG, 1);
        assertThat(read(0)).isEqualTo(0x7472_6976);
        assertThat(read(STATUS)).isZero();
        assertThat(notification()).containsExactly(0, 0);
    }

    @Test
    void aDeviceNeedsAWritablePageOfItsOwn() {
        long sparse = extent(PAGE_PA + 0x1_0000, 4096, 1 << 16 | BASIC_RW);
        long large = extent(PAGE_PA + 0x2_0000, 8192, BASIC_RW);
        long readable = extent(PAGE_PA + 0x3_0000, 4096, 4);
        assertThat(error(0x0C, device, 0)).isEqualTo(HypError.OBJECT_CONFIG);
        assertThat(error(0x49, device, sparse, 2, 0, 0)).isEqualTo(HypError.ARGUMENT_INVALID);
        assertThat(error(0x49, device, large, 2, 0, 0)).isEqualTo(HypError.ARGUMENT_INVALID);
        assertThat(error(0x49, device, page, 17, 0, 0)).isEqualTo(HypError.ARGUMENT_INVALID);
        assertThat(error(0x49, device, page, 2, 0x40, 2)).isEqualTo(HypError.ARGUMENT_INVALID);
        assertThat(error(0x49, device, page, 2, 0x40, 0)).isEqualTo(HypError.ARGUMENT_INVALID);
        machine.call(0x49, device, readable, 16, 0, 0);
        assertThat(error(0x0C, device, 0)).isEqualTo(HypError.DENIED);
        machine.call(0x49, device, page, 16, 0, 99);
        machine.activate(device);
        assertThat(error(0x49, device, page, 2, 0, 0)).isEqualTo(HypError.OBJECT_STATE);

        long second = machine.create(0x48);
        machine.call(0x49, second, page, 2, 0, 0);
        assertThat(error(0x0C, second, 0)).isEqualTo(HypError.BUSY);
        long child = machine.create(0x04);
        machine.call(0x32, child, page, 0, 4096, BASIC_RW);
        assertThat(error(0x0C, child, 0)).isEqualTo(HypError.BUSY);
        machine.call(0x22, machine.env.cspaceCap(), device);
        machine.activate(child);
        assertThat(error(0x0C, second, 0)).as("the page is the child's").isEqualTo(HypError.BUSY);
        machine.call(0x22, machine.env.cspaceCap(), child);
        machine.activate(second);
    }

    @Test
    void aDeviceThatWentTakesNoStores() {
        ready();
        write(STATUS, 1);
        machine.call(0x22, machine.env.cspaceCap(), device);
        driver.faults(PAGE_IPA + STATUS, 3);
        assertThat(read(STATUS)).isEqualTo(1);
    }

    @Test
    void aPageWithoutADeviceTakesNoStores() {
        machine.call(0x2B, driver.guest.addrspace, page, PAGE_IPA, READ_ONLY, 0, 0, 4096);
        driver.faults(PAGE_IPA + STATUS, 3);
    }

    @Test
    void featuresThatTheHypervisorMindsAreDenied() {
        ready();
        assertThat(error(0x4F, device, 2, 0, 0)).isEqualTo(HypError.ARGUMENT_INVALID);
        assertThat(error(0x4F, device, 1, 1, 0)).isEqualTo(HypError.DENIED);
        assertThat(error(0x4F, device, 1, 2, 0)).isEqualTo(HypError.DENIED);
        assertThat(error(0x4F, device, 1, 0x43, 0)).isEqualTo(HypError.DENIED);
        assertThat(error(0x50, device, 2, 1, 0)).isEqualTo(HypError.ARGUMENT_INVALID);
        assertThat(error(0x51, device, 2, 0)).isEqualTo(HypError.ARGUMENT_INVALID);
        assertThat(error(0x52, device, 2, 0)).isEqualTo(HypError.ARGUMENT_INVALID);
    }

    /** Rights 1 and 2 bind, 4 asserts, 8 is the rest. */
    @Test
    void everyCallNeedsItsRight() {
        ready();
        long vic = machine.hostVic;
        long[][] calls = {{0x4A, 1, vic, 60}, {0x4B, 1}, {0x4C, 2, vic, 61}, {0x4D, 2}, {0x4E, 4, 0}, {0x4F, 8, 0, 0},
                {0x50, 8, 0, 0}, {0x51, 8, 0}, {0x52, 8, 0}, {0x53, 8}, {0x54, 8}, {0x55, 8, 0}, {0x5E, 8, 0, 0, 0, 0},
                {0x5F, 8, 1, 0, 1, 0}};
        for (long[] call : calls) {
            for (int right = 1; right <= 8; right <<= 1) {
                long cap = machine.call(0x23, machine.env.cspaceCap(), device, machine.env.cspaceCap(), right)[1];
                long[] inputs = new long[call.length - 1];
                System.arraycopy(call, 2, inputs, 1, call.length - 2);
                inputs[0] = cap;
                HypError error = error((int) call[0], inputs);
                boolean refused = error == HypError.CSPACE_INSUFFICIENT_RIGHTS;
                assertThat(refused).as("call 0x%x with right %d: %s", call[0], right, error)
                        .isEqualTo(right != call[1]);
            }
        }
    }

    @Test
    void linesAreBoundOnceAndUnboundAsOftenAsOneLikes() {
        ready();
        assertThat(error(0x4A, device, machine.hostVic, 60, 0)).isEqualTo(HypError.VIRQ_BOUND);
        assertThat(error(0x4C, device, machine.hostVic, 60, 0)).isEqualTo(HypError.VIRQ_BOUND);
        machine.call(0x4D, device, 0);
        machine.call(0x4D, device, 0);
        write(QUEUE_NOTIFY, 0);
        assertThat(machine.hostInterrupts).isEmpty();
        machine.call(0x4B, device, 0);
        machine.call(0x4B, device, 0);
        machine.call(0x4E, device, 1, 0);
        assertThat(driver.acknowledge()).isEqualTo(SPURIOUS);
        assertThat(error(0x4A, device, machine.hostVic, BACKEND_VIRQ + 1, 0)).isEqualTo(HypError.OK);
    }

    @Test
    void theStateOfTheMachineTellsOfTheDevice() {
        ready();
        write(QUEUE_NUM, 0);
        MachineState before = machine.hypervisor.state();
        write(QUEUE_NUM, 5);
        assertThat(before.difference(machine.hypervisor.state())).anyMatch(line -> line.contains("VIRTIO_MMIO#"));
        write(QUEUE_NUM, 0);
        assertThat(before.difference(machine.hypervisor.state())).noneMatch(line -> line.contains("VIRTIO_MMIO#"));
    }
}
