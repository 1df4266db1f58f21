package gunyah.vmm;

import gunyah.config.Serial;
import gunyah.vmm.boot.GuestTree;
import gunyah.vmm.virtio.VirtioMmio;

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
    /** Virtio devices, one after the other. */
    static final long VIRTIO_BASE = 0x0a00_0000L;
    static final int VIRTIO_SPI = 16;
    static final int VIRTIO_SLOTS = 32;
    /**
     * Memory a VM shares with the devices of its host, where QEMU's machine has PCI. It lies where the Resource Manager
     * lets the host answer accesses (below 1 GiB), in a section of Linux's memory map of its own (128 MiB).
     */
    static final long DMA_BASE = 0x2000_0000L;
    static final long DMA_SIZE = 32L << 20;
    static final long RAM_BASE = 0x4000_0000L;

    private GuestLayout() {
    }

    /**
     * Tells the device tree.
     *
     * @param virtioDevices how many there are
     * @param restricted    whether they reach only the memory at {@link #DMA_BASE}
     * @param serial        what the console is
     */
    static GuestTree.Places places(int virtioDevices, boolean restricted, Serial serial) {
        GuestTree.Virtio virtio = new GuestTree.Virtio(virtioDevices, VIRTIO_BASE, VirtioMmio.SIZE, VIRTIO_SPI,
                DMA_BASE, restricted ? DMA_SIZE : 0);
        return new GuestTree.Places(GICD_BASE, GICR_BASE, UART_BASE, UART_SPI, RTC_BASE, RTC_SPI, virtio,
                serial);
    }
}
