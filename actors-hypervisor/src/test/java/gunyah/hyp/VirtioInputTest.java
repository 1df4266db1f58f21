package gunyah.hyp;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A virtio-input device, whose configuration space answers what guest code selects. */
@Tag("guest")
class VirtioInputTest {
    private static final int CONFIGURE = 0x5E;
    private static final int SET_DATA = 0x5F;
    private static final int NAME = 1;
    private static final int SERIAL = 2;
    private static final int DEVIDS = 3;
    private static final int PROP_BITS = 0x10;
    private static final int EV_BITS = 0x11;
    private static final int ABS_INFO = 0x12;
    private static final long PAGE_IPA = 0x0A00_0000L;
    private static final long PAGE_PA = TestMachine.GUEST_PA + (2 << 20);
    private static final long SELECT = PAGE_IPA + 0x100;
    private static final long ANSWER = PAGE_IPA + 0x108;

    private final TestMachine machine = new TestMachine();
    private final GuestAccesses driver = new GuestAccesses(machine);
    private final long page = machine.create(0x04);
    private final long device = machine.create(0x48);
    private long buffer;

    @BeforeEach
    void makeDevice() {
        machine.call(0x32, page, machine.env.memextentCap(), PAGE_PA, 4096, 6, 0);
        machine.activate(page);
        machine.call(0x49, device, page, 2, 1 << 6, 18);
        machine.activate(device);
        machine.call(0x2B, driver.guest.addrspace, page, PAGE_IPA, 0xF_0044, 0, 0, 4096);
        buffer = machine.env.rmBase();
    }

    @AfterEach
    void stop() {
        machine.close();
    }

    private HypError put(int select, int subselect, byte[] data) {
        machine.root.write(buffer, data, 0, data.length);
        return error(SET_DATA, device, select, subselect, data.length, buffer, 0);
    }

    private HypError error(int number, long... inputs) {
        return HypError.of(machine.tryCall(number, inputs)[0]);
    }

    private static byte[] text(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    /** {@return how many bytes the device has for a query} */
    private long size(int select, int subselect) {
        driver.storeByte(SELECT, select);
        driver.storeByte(SELECT + 1, subselect);
        return driver.load(SELECT) >>> 16 & 0xFF;
    }

    @Test
    void aDriverLearnsWhatTheDeviceIs() {
        machine.call(CONFIGURE, device, 0x0004_0003_0002_0001L, 0x21, 2, 1);
        assertThat(put(NAME, 0, text("keys"))).isEqualTo(HypError.OK);
        assertThat(put(SERIAL, 0, text("4711-8"))).isEqualTo(HypError.OK);
        assertThat(put(EV_BITS, 1, new byte[] {0x7F, 1, 2})).isEqualTo(HypError.OK);
        byte[] axis = new byte[20];
        axis[4] = 100;
        assertThat(put(ABS_INFO, 5, axis)).isEqualTo(HypError.OK);

        assertThat(size(NAME, 0)).isEqualTo(4);
        assertThat(driver.load(ANSWER)).isEqualTo(0x7379_656B);
        assertThat(size(NAME, 1)).isZero();
        assertThat(size(SERIAL, 0)).isEqualTo(6);
        assertThat(driver.load(ANSWER)).isEqualTo(0x3131_3734);
        assertThat(size(DEVIDS, 0)).isEqualTo(8);
        assertThat(driver.load(ANSWER)).isEqualTo(0x0002_0001);
        assertThat(driver.load(ANSWER + 4)).isEqualTo(0x0004_0003);
        assertThat(size(PROP_BITS, 0)).isEqualTo(4);
        assertThat(driver.load(ANSWER)).isEqualTo(0x21);
        assertThat(size(EV_BITS, 1)).isEqualTo(3);
        assertThat(driver.load(ANSWER)).isEqualTo(0x0002_017F);
        assertThat(size(EV_BITS, 2)).isZero();
        assertThat(size(ABS_INFO, 5)).isEqualTo(20);
        assertThat(driver.load(ANSWER + 4)).isEqualTo(100);
        assertThat(size(ABS_INFO, 64)).isZero();
        assertThat(size(0, 0)).isZero();
        assertThat(size(0x77, 0)).isZero();
    }

    @Test
    void nothingButTheSelectingBytesMayBeStored() {
        machine.call(CONFIGURE, device, 1, 0, 0, 0);
        driver.byteFaults(SELECT + 2, 1);
        driver.faults(ANSWER, 1);
        driver.faults(SELECT, DEVIDS);
        assertThat(driver.load(SELECT)).as("the two bytes before the third").isEqualTo(8L << 16 | DEVIDS);
    }

    @Test
    void tablesAreMadeOnceAndHaveTheirSize() {
        assertThat(put(EV_BITS, 1, new byte[1])).isEqualTo(HypError.ARGUMENT_INVALID);
        assertThat(put(ABS_INFO, 1, new byte[20])).isEqualTo(HypError.ARGUMENT_INVALID);
        assertThat(error(CONFIGURE, device, 0, 0, 33, 0, 0)).isEqualTo(HypError.ARGUMENT_INVALID);
        assertThat(error(CONFIGURE, device, 0, 0, 0, 65, 0)).isEqualTo(HypError.ARGUMENT_INVALID);
        machine.call(CONFIGURE, device, 0, 0, 1, 1, 0);
        assertThat(error(CONFIGURE, device, 0, 0, 1, 0, 0)).isEqualTo(HypError.BUSY);
        assertThat(error(CONFIGURE, device, 0, 0, 0, 1, 0)).isEqualTo(HypError.BUSY);
        machine.call(CONFIGURE, device, 7, 0, 0, 0, 0);

        assertThat(put(EV_BITS, 32, new byte[1])).isEqualTo(HypError.ARGUMENT_INVALID);
        assertThat(put(EV_BITS, 1, new byte[129])).isEqualTo(HypError.ARGUMENT_SIZE);
        assertThat(put(EV_BITS, 1, new byte[128])).isEqualTo(HypError.OK);
        assertThat(put(EV_BITS, 2, new byte[1])).isEqualTo(HypError.NORESOURCES);
        assertThat(put(ABS_INFO, 64, new byte[20])).isEqualTo(HypError.ARGUMENT_INVALID);
        assertThat(put(ABS_INFO, 63, new byte[20])).isEqualTo(HypError.OK);
        assertThat(put(ABS_INFO, 62, new byte[20])).isEqualTo(HypError.NORESOURCES);
    }

    @Test
    void dataThatCannotBeReadChangesNothing() {
        assertThat(put(NAME, 0, text("pen"))).isEqualTo(HypError.OK);
        assertThat(put(NAME, 1, text("pen"))).isEqualTo(HypError.ARGUMENT_INVALID);
        assertThat(size(NAME, 0)).isEqualTo(3);
        assertThat(error(SET_DATA, device, NAME, 0, 4, 0x3000_0000L, 0)).isEqualTo(HypError.ADDR_INVALID);
        assertThat(size(NAME, 0)).isEqualTo(3);
        assertThat(put(NAME, 0, new byte[129])).isEqualTo(HypError.ARGUMENT_SIZE);
        assertThat(error(SET_DATA, device, NAME, 0, 0, buffer, 0)).isEqualTo(HypError.ARGUMENT_SIZE);
        assertThat(put(DEVIDS, 0, new byte[9])).isEqualTo(HypError.ARGUMENT_SIZE);
        assertThat(put(DEVIDS, 0, new byte[8])).isEqualTo(HypError.OK);
        assertThat(put(PROP_BITS, 0, new byte[5])).isEqualTo(HypError.ARGUMENT_SIZE);
        assertThat(put(PROP_BITS, 0, new byte[4])).isEqualTo(HypError.OK);
        assertThat(put(0, 0, new byte[1])).isEqualTo(HypError.ARGUMENT_INVALID);
        assertThat(put(0x20, 0, new byte[1])).isEqualTo(HypError.ARGUMENT_INVALID);
    }

    @Test
    void aDeviceOfAnotherTypeHasNoSuchCalls() {
        long plainPage = machine.create(0x04);
        machine.call(0x32, plainPage, machine.env.memextentCap(), PAGE_PA + 0x1000, 4096, 6, 0);
        machine.activate(plainPage);
        long plain = machine.create(0x48);
        machine.call(0x49, plain, plainPage, 1, 0, 18);
        machine.activate(plain);
        assertThat(error(CONFIGURE, plain, 0, 0, 0, 0, 0)).isEqualTo(HypError.OBJECT_CONFIG);
        assertThat(error(SET_DATA, plain, NAME, 0, 1, buffer, 0)).isEqualTo(HypError.CSPACE_WRONG_OBJECT_TYPE);
    }
}
