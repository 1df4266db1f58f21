package gunyah.hyp.virtiommio;

import static gunyah.memory.RawMemory.RAW;

import gunyah.memory.PhysicalMemory;

/**
 * The registers that the frontend reads, in a page of memory (virtio 1.2, 4.2.2). Written by the device's actor and, as
 * it likes, by the backend VM, which has the page too; so bits change by compare and exchange.
 */
final class RegisterPage {
    static final int DEVICE_FEATURES = 0x10;
    static final int DEVICE_FEATURES_SEL = 0x14;
    static final int DRIVER_FEATURES = 0x20;
    static final int DRIVER_FEATURES_SEL = 0x24;
    static final int QUEUE_SEL = 0x30;
    static final int QUEUE_NUM_MAX = 0x34;
    static final int QUEUE_NUM = 0x38;
    static final int QUEUE_READY = 0x44;
    static final int QUEUE_NOTIFY = 0x50;
    static final int INTERRUPT_STATUS = 0x60;
    static final int INTERRUPT_ACK = 0x64;
    static final int STATUS = 0x70;
    static final int QUEUE_DESC_LOW = 0x80;
    static final int QUEUE_DESC_HIGH = 0x84;
    static final int QUEUE_DRIVER_LOW = 0x90;
    static final int QUEUE_DRIVER_HIGH = 0x94;
    static final int QUEUE_DEVICE_LOW = 0xA0;
    static final int QUEUE_DEVICE_HIGH = 0xA4;
    /** Configuration space, to the end of the page. */
    static final int CONFIG = 0x100;

    private final long address;

    /** @param pa a page of {@code memory} that stays this device's */
    RegisterPage(PhysicalMemory memory, long pa) {
        this.address = memory.hostAddress(pa);
    }

    int word(int offset) {
        return RAW.getIntVolatile(address + offset);
    }

    void word(int offset, int value) {
        RAW.putIntVolatile(address + offset, value);
    }

    int octet(int offset) {
        return RAW.getByteVolatile(address + offset) & 0xFF;
    }

    void octet(int offset, int value) {
        RAW.putByteVolatile(address + offset, (byte) value);
    }

    void setBits(int offset, int bits) {
        change(offset, ~0, bits);
    }

    void clearBits(int offset, int bits) {
        change(offset, ~bits, 0);
    }

    private void change(int offset, int kept, int set) {
        int before = word(offset);
        int seen = before;
        do {
            before = seen;
            seen = RAW.compareAndExchangeInt(address + offset, before, before & kept | set);
        } while (seen != before);
    }
}
