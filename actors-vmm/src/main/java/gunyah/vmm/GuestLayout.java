package gunyah.vmm;

import gunyah.vmm.boot.GuestTree;

/** Addresses and interrupts of the guest machine: those of QEMU's virt machine (hw/arm/virt.c memory map). */
final class GuestLayout {
    /** Two banks of 64 MiB. */
    static final long FLASH_BASE = 0;
    static final long FLASH_SIZE = 0x0800_0000L;
    static final long GICD_BASE = 0x0800_0000L;
    static final long GICR_BASE = 0x080a_0000L;
    static final long UART_BASE = 0x0900_0000L;
    static final int UART_SPI = 1;
    static final long RTC_BASE = 0x0901_0000L;
    static final int RTC_SPI = 2;
    static final long DEVICE_SIZE = 0x1000;
    static final long RAM_BASE = 0x4000_0000L;

    private GuestLayout() {
    }

    static GuestTree.Places places() {
        return new GuestTree.Places(GICD_BASE, GICR_BASE, UART_BASE, UART_SPI, RTC_BASE, RTC_SPI);
    }
}
